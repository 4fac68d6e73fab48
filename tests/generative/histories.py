"""Random histories of customers: items that collide on purpose in ids, orders, devices, times and values."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Scope, Type
from muster.warehouse.batch import Rate
from muster.warehouse.catalog import AddOn, AddOnKind, App, Catalog, CustomAttribute, EventKind, Trust
from muster.warehouse.items import Consent, Device, Email, Item, Line, Occurrence, OrderEntry

RECEIVED = datetime(2026, 11, 21, 12, tzinfo=UTC)
START = datetime(2026, 11, 1, 23, 45, tzinfo=UTC)
LEVEL_UP, BILLED = 300, 301

CATALOG = Catalog(
    apps={
        "notes": App("notes", 1, own_domains=("Notes.example",), listing_urls=("https://store.example/notes",)),
        "shop": App("shop", 2, default_currency="usd", store_ids=("app-shop",), commerce_trust=Trust.SIGNED),
        "game": App("game", 3, sessions_reported=True, signed_identity=True),
    },
    zone="America/New_York",
    currency="EUR",
    addons=(
        AddOn("notes", "pro", AddOnKind.DURABLE, skus=("pro-2", "sku-9")),
        AddOn("notes", "coins", AddOnKind.CONSUMABLE),
        AddOn("shop", "club", AddOnKind.SUBSCRIPTION, skus=("club-year",)),
        AddOn("shop", "pro", AddOnKind.DURABLE),
    ),
    events={key: EventKind(key, event.number, event.is_activity) for key, event in STANDARD_EVENTS.items()}
    | {"level_up": EventKind("level_up", LEVEL_UP, True), "billed": EventKind("billed", BILLED, False)},
    attributes={
        "plan": CustomAttribute("plan", 1, Type.TEXT),
        "seats": CustomAttribute("seats", 2, Type.NUMBER, accept_from=Trust.SIGNED),
        "budget": CustomAttribute("budget", 3, Type.MONEY),
        "vip": CustomAttribute("vip", 4, Type.BOOLEAN),
        "renews_on": CustomAttribute("renews_on", 5, Type.DATE),
        "met_at": CustomAttribute("met_at", 6, Type.TIMESTAMP),
        "release": CustomAttribute("release", 7, Type.VERSION),
        "tags": CustomAttribute("tags", 8, Type.LIST),
        "level": CustomAttribute("level", 9, Type.NUMBER, Scope.APP),
        "build": CustomAttribute("build", 10, Type.VERSION, Scope.APP),
    },
    standard_accept_from={"gender": Trust.SERVER},
)

# Mostly minutes apart, so that sessions, windows and ties all occur.
moments = st.builds(
    lambda hours, minutes, seconds: START + timedelta(hours=hours, minutes=minutes, seconds=seconds),
    st.sampled_from([0, 0, 0, 1, 24, 25, 24 * 6, 24 * 8]),
    st.sampled_from([0, 0, 1, 4, 5, 6, 29, 30, 31, 59]),
    st.sampled_from([0, 0, 0, 1]),
)

_urls = st.sampled_from(
    [
        None,
        "https://notes.example/",
        "https://notes.example/?utm_campaign=spring&cid=%20autumn+sale",
        "https://store.example/notes?utm_campaign=spring",
        "https://store.example/notes/about",
        "https://[broken/?cid=x",
    ]
)
_referrers = st.sampled_from(
    [None, " ", "https://www.News.example/a", "https://help.notes.example/", "https://bücher.example/", "no url"]
)
_campaigns = st.sampled_from([None, {"id": "c-1"}, {"name": "Winter"}, {"id": " ", "name": "Fall"}, {"id": 7}, "text"])
_instants = st.sampled_from(
    ["2026-11-20T00:00:00Z", "2026-11-02T01:00:00+01:00", "2027-01-01T00:00:00.5Z", "2026-11-02", 5, None]
)
_addons = st.sampled_from(["pro", "pro-2", "coins", "club", "club-year", "unheard-of", 12, None])


def _props(**values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=values)


_PROPERTIES = {
    "page_viewed": _props(url=_urls, referrer=_referrers, campaign=_campaigns),
    "listing_viewed": _props(url=_urls, referrer=_referrers, campaign=_campaigns),
    "install_attributed": _props(campaign=_campaigns),
    "app_acquired": _props(
        acquisition_type=st.sampled_from(["trial", "Promo Code", "gift", "", 3, None]),
        amount=st.sampled_from([0, 1, 2.5, "3", None, 1e300]),
    ),
    "addon_acquired": _props(addon=_addons, expires_at=_instants),
    "subscription_started": _props(addon=_addons, expires_at=_instants),
    "subscription_renewed": _props(addon=_addons, expires_at=_instants),
    "subscription_ended": _props(addon=_addons, expires_at=_instants),
    "app_rated": _props(rating=st.sampled_from([1, 4.5, 5, "3", "three", 0, 6, None])),
    "session": _props(
        session_id=st.sampled_from(["s1", "s2", 3, None]),
        started_at=_instants,
        ended_at=_instants,
        engaged_seconds=st.sampled_from([0, 59.9, 61, -5, "9", 9e15, 1e300]),
    ),
}
_NUMBERS = {event.number: key for key, event in STANDARD_EVENTS.items()}
_EVENTS = [
    STANDARD_EVENTS[key].number
    for key in (*_PROPERTIES, "app_opened", "app_opened", "app_backgrounded", "app_installed", "screen_viewed")
] + [LEVEL_UP, LEVEL_UP, BILLED, 999]
_ANY = _props(level=st.sampled_from([1, 2.5, "7", True, None, ["a", 1], {"deep": "er"}]), url=_urls)


@st.composite
def _occurrences(draw: st.DrawFn) -> Occurrence:
    event = draw(st.sampled_from(_EVENTS))
    props = draw(_PROPERTIES.get(_NUMBERS.get(event, ""), _ANY))
    return Occurrence(event, props, active=draw(st.sampled_from([True, True, True, False])))


_lines = st.builds(
    Line,
    product_id=st.sampled_from(["pro", "sku-9", "coins", "app-shop", "club-year", "thing", None]),
    category=st.sampled_from([None, "bikes"]),
    name=st.none(),
    price_micros=st.sampled_from([None, 0, 4_990_000, 2**63 - 1]),
    quantity=st.sampled_from([None, Decimal(1), Decimal("2.5"), Decimal(10**12 - 1)]),
)
_orders = st.builds(
    OrderEntry,
    kind=st.sampled_from(["completed", "completed", "completed", "updated", "cancelled", "refunded"]),
    order_id=st.sampled_from(["o1", "o2", "o3"]),
    placed_at=st.one_of(st.none(), st.none(), moments),
    amount_micros=st.sampled_from([None, 0, 1, 10_000_000, 19_990_001, -3_000_000, 2**63 - 1, 2**62, -(2**63) + 1]),
    currency=st.sampled_from([None, "EUR", "usd ", "JPY", "XXX"]),
    coupon=st.sampled_from([None, None, " ", "HALF"]),
    market=st.sampled_from([None, "NO", "Germany", "Nowhere"]),
    lines=st.lists(_lines, max_size=2).map(tuple),
)

_ANYTHING = st.sampled_from(
    [None, "", "x", "5", "1e3", "1.2.3", "v2.0-beta", 5, 2.5, 1e21, True, False, ["a", 1, None], [],
     "2026-02-28", "2026-11-20T00:00:00Z", "0.0000005", 0.1]
)  # fmt: skip  # a table, read by rows
_traits = st.fixed_dictionaries(
    {},
    optional={
        "gender": st.sampled_from(["M", "weiblich", "NA", "robot", None]),
        "birthday": st.sampled_from(["2000-02-29", "2026-12-01", "1880-01-01", "1990-05-05T00:00:00Z", "soon", None]),
        "age": st.sampled_from([0, 17, "42", 120, 121, -1, None]),
        "country": st.sampled_from(["Norway", "DDR", "Atlantis", "", None]),
        "address": st.sampled_from([{"country": "FR", "city": "Lyon"}, {"city": "Oslo"}]),
        "language": st.sampled_from(["nb_no", "C", "x", None]),
        "time_zone": st.sampled_from(["europe/kiev", "Mars", None]),
        "name": st.sampled_from([" Ann ", "A\u030ase", "", None, 5]),
        "email": st.sampled_from(["Ann@Example.com", "ann@BÜCHER.example", "nobody", None]),
        "created_at": st.sampled_from(["2020-01-01", "2020-01-01T00:00:00+02:00", "then", None]),
        **dict.fromkeys(CATALOG.attributes, _ANYTHING),
        "unheard_of": _ANYTHING,
    },
)
_devices = st.builds(
    Device,
    device_id=st.sampled_from(["d1", "d2"]),
    device_family=st.sampled_from([None, "Desktop", "toaster"]),
    os=st.sampled_from([None, "Windows", "iOS"]),
    os_version=st.sampled_from([None, "10.0.19045", "eleven"]),
    app_version=st.sampled_from([None, "1.2.0", "1.2"]),
    device_model=st.none(),
    locale=st.sampled_from([None, "de_DE", "xx-nonsense-", "C"]),
    time_zone=st.sampled_from([None, "Asia/Calcutta", "nowhere"]),
)
_consents = st.builds(Consent, purpose=st.sampled_from(["profiling", "offers"]), granted=st.booleans())
_emails = st.builds(Email, address=st.sampled_from(["ANN@example.com", "bob@example.com"]), verified=st.booleans())

_WHO = st.sampled_from(
    [
        ("u1", None, None), ("u1", None, None), ("u2", None, None), ("u3", None, None),
        (None, "a1", None), (None, "a2", None), ("u1", "a1", None), ("u2", "a1", None), ("u2", "a2", None),
        ("u3", None, "a2"), ("u2", None, "u1"), ("u4", None, "u2"), ("u4", None, "nobody-yet"),
        ("null", "a1", None), (None, "undefined", None), (None, None, None),
    ]
)  # fmt: skip  # a table, read by rows


@st.composite
def _items(draw: st.DrawFn) -> Item:
    external, anonymous, previous = draw(_WHO)
    says = draw(st.sampled_from(["event", "event", "event", "order", "order", "traits", "other"]))
    return Item(
        hash=draw(st.integers(0, 2**32 - 1)).to_bytes(4, "big") * 4,
        happened_at=draw(moments),
        app=draw(st.sampled_from([1, 1, 1, 2, 3, 0, 9])),
        external_id=external,
        anonymous_id=anonymous,
        previous_id=previous,
        # Merging identified people is decided by trust; refusals of repeated items would depend on the batch.
        trust=Trust.SERVER if previous else draw(st.sampled_from([Trust.OPEN, Trust.SIGNED, Trust.SERVER])),
        source=draw(st.sampled_from([0, 7])),
        traits=draw(_traits) if says in ("traits", "other") else {},
        event=draw(_occurrences()) if says == "event" else None,
        order=draw(_orders) if says == "order" else None,
        emails=tuple(draw(st.lists(_emails, max_size=1))) if says == "other" else (),
        consents=tuple(draw(st.lists(_consents, max_size=1))) if says == "other" else (),
        device=draw(st.one_of(st.none(), _devices)),
    )


histories = st.lists(_items(), min_size=1, max_size=14, unique_by=lambda item: item.hash)
rates = st.lists(
    st.builds(
        Rate,
        day=st.sampled_from([date(2026, 10, 26), date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)]),
        currency=st.sampled_from(["USD", "JPY"]),
        rate=st.sampled_from([Fraction(10_000, 10_956), Fraction(1, 2), Fraction(7, 1_000)]),
    ),
    max_size=4,
    unique_by=lambda rate: (rate.day, rate.currency),
)


@st.composite
def rearranged(draw: st.DrawFn, items: list[Item]) -> list[list[Item]]:
    """The items in another order that keeps what identity depends on, some repeated, split into batches."""
    waiting = list(range(len(items)))
    ordered: list[int] = []
    while waiting:
        free = [i for i in waiting if not any(j < i and _bound(items, i, j) for j in waiting)]
        ordered.append(draw(st.sampled_from(free)))
        waiting.remove(ordered[-1])
    sequence = [items[i] for i in ordered]
    for repeated in draw(st.lists(st.integers(0, len(items) - 1), max_size=3)):
        sequence.append(sequence[repeated])
    cuts = sorted(draw(st.lists(st.integers(0, len(sequence)), max_size=2)))
    edges = [0, *cuts, len(sequence)]
    return [sequence[a:b] for a, b in itertools.pairwise(edges)]


def _bound(items: list[Item], one: int, other: int) -> bool:
    """Items that attach ids keep their order per id: identity is decided in order of arrival (C-7)."""
    return bool(_sensitive(items, items[one]) & _sensitive(items, items[other]))


def _sensitive(items: list[Item], item: Item) -> set[str]:
    aliased = any(other.previous_id for other in items)
    ids = {item.anonymous_id, item.previous_id} - {None}
    if aliased and item.external_id:
        # Which of two identified people survives a merge is decided by who came first.
        ids.add("everybody")
    return ids | ({"everybody"} if aliased and ids else set())
