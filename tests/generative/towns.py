"""Generated customers, twice: as plain rows for the reference engine and loaded into a real warehouse."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from muster.engine.context import Context
from muster.kernel.civil import day_code
from muster.kernel.versions import is_version, version_key
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Attribute, Event, Scope, Type, Vocabulary
from muster.warehouse.catalog import App, Catalog, CustomAttribute, EventKind
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.port import Holding, Person, PersonEvent

NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
APPS = {"notes": 1, "rides": 2}
COUNTRIES = ("FR", "DE", "NO", "US")
TEXTS = ("Spring", "spring sale", "ÉTÉ", "été", "straße", "STRASSE", "İstanbul", "a%b_c", "", "o'neil")
NUMBERS = (0, 1, 2, 3, 5, 10, 0.1, 0.2, 0.3, 2.5, -1, 1e6)
# Of these no sum, no text and no instant may be more than the other engine makes of it.
HUGE = (1e15, 1e22, 9e31, -9e31, 10**25, 2**64 - 1)
ODD_INSTANTS = (
    "20261121T184455+0000", "2026-W47-6T10:00:00Z", "2026-11-21T18:44Z", "2026-11-21T18:44:55+23:59",
    "2026-11-21x18:44:55Z", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "2026-11-21T18:44:55.1234567890Z",
    "9998-12-31T00:00:00Z",
)  # fmt: skip  # a table, read by rows
ODD_DAYS = ("2026-W47-6", "0001-01-01", "9999-12-31", "20261121", "9998-12-31")
LABELS = ("Pro", "tour", "été")
VERSIONS = ("1.0.0", "1.0.0-rc.1", "1.0", "1.2.3", "v1.2.10", "2.0.0.1", "10.0", "not a version")
GROUPS = ("grp_staff", "grp_beta")

_LEVEL_UP = {"level": Type.NUMBER, "world": Type.TEXT, "hard": Type.BOOLEAN, "build": Type.VERSION, "tags": Type.LIST}
_EVENTS = {
    "level_up": Event("level_up", 300, _LEVEL_UP | {"at_time": Type.TIMESTAMP, "deadline": Type.DATE}),
    "shared": Event("shared", 301, {"where.place": Type.TEXT}),
}
_CUSTOM = (
    Attribute("nickname", Type.TEXT, Scope.CUSTOMER, number=1),
    Attribute("score", Type.NUMBER, Scope.CUSTOMER, number=2),
    Attribute("balance", Type.MONEY, Scope.CUSTOMER, number=3),
    Attribute("vip", Type.BOOLEAN, Scope.CUSTOMER, number=4),
    Attribute("anniversary", Type.DATE, Scope.CUSTOMER, number=5),
    Attribute("trial_ends_at", Type.TIMESTAMP, Scope.CUSTOMER, number=6),
    Attribute("client", Type.VERSION, Scope.CUSTOMER, number=7),
    Attribute("interests", Type.LIST, Scope.CUSTOMER, number=8),
    Attribute("plan", Type.CATEGORY, Scope.APP, number=9),
    Attribute("seats", Type.NUMBER, Scope.APP, number=10),
)


def vocabulary() -> Vocabulary:
    """Standard words, one custom attribute of each type, two custom events."""
    events = {key: Event(key, event.number, event.properties) for key, event in STANDARD_EVENTS.items()}
    return Vocabulary(
        attributes=STANDARD_ATTRIBUTES | {attribute.key: attribute for attribute in _CUSTOM},
        events=events | _EVENTS,
        apps=APPS,
        groups={group: group for group in GROUPS},
    )


def catalog() -> Catalog:
    return Catalog(
        apps={key: App(key, number) for key, number in APPS.items()},
        attributes={one.key: CustomAttribute(one.key, one.number or 0, one.type, one.scope) for one in _CUSTOM},
        events={one.key: EventKind(one.key, one.number) for one in vocabulary().events.values()},
    )


@dataclass(frozen=True)
class Town:
    """One generated data set: the people, the members of other groups, the settings."""

    people: tuple[Person, ...]
    groups: dict[str, set[int]]
    context: Context

    @property
    def size(self) -> int:
        return max((person.customer_key for person in self.people), default=0) + 1


def town(seed: int, people: int = 60) -> Town:
    """The same seed gives the same town. Keys have gaps, as merges and erasures leave them."""
    dice = random.Random(seed)
    keys = sorted(dice.sample(range(1, people * 2), people))
    context = Context(
        now=NOW,
        vocabulary=vocabulary(),
        zone=ZoneInfo(dice.choice(ZONES)),
        minimum_age=dice.choice([0, 17, 17, 18]),
        require_known_age=dice.random() < 0.2,
    )
    return Town(
        people=tuple(_person(key, dice) for key in keys),
        groups={group: {key for key in keys if dice.random() < 0.3} for group in GROUPS},
        context=context,
    )


def _maybe(dice: random.Random, make: Callable[[], Any], share: float = 0.75) -> Any:
    return make() if dice.random() < share else None


# Instants stand on the edges of the usual windows as often as anywhere else, to the microsecond.
_EDGES = (0, 1, 7, 14, 30, 60, 90, 365)


def instant(dice: random.Random) -> datetime:
    if dice.random() < 0.35:
        nudge = dice.choice([-1, 0, 1])
        return NOW - timedelta(days=dice.choice(_EDGES), microseconds=nudge)
    return NOW - timedelta(seconds=dice.randrange(-86_400 * 3, 86_400 * 400))


def _day(dice: random.Random) -> date:
    if dice.random() < 0.3:
        return date(dice.choice([1988, 2000, 2004]), 2, 29)
    return NOW.date() - timedelta(days=dice.randrange(-20, 366 * 30))


def _birth_code(dice: random.Random) -> int:
    if dice.random() < 0.2:
        return dice.choice([19940229, 20080229, 20050301, 20081121, 20081122, 20091121])
    return day_code(_day(dice).replace(year=dice.randrange(1900, 2015), day=min(_day(dice).day, 28)))


def _person(key: int, dice: random.Random) -> Person:
    orders = dice.random() < 0.6
    profile = {
        "subject": f"c:{key}" if dice.random() < 0.8 else f"a:{key}",
        "birth_code": _maybe(dice, lambda: _birth_code(dice)),
        "gender": _maybe(dice, lambda: dice.choice(("male", "female", "other"))),
        "country": _maybe(dice, lambda: dice.choice(COUNTRIES)),
        "language": _maybe(dice, lambda: dice.choice(("fr", "de-DE", "en-US"))),
        "time_zone": _maybe(dice, lambda: dice.choice(ZONES)),
        "profiling_denied": dice.random() < 0.1,
        "purchase_count": dice.choice([0, 1, 2, 3, 5]) if orders else None,
        "first_purchase_at": instant(dice) if orders else None,
        "last_purchase_at": instant(dice) if orders else None,
        "store_spend_micros": dice.choice([0, 9_990_000, 10_000_000, 10_000_001, -5_000_000]) if orders else None,
        "acquisition_count": _maybe(dice, lambda: dice.choice([1, 2, 3])),
        "nickname": _maybe(dice, lambda: dice.choice(TEXTS)),
        "score": _maybe(dice, lambda: float(dice.choice(NUMBERS))),
        "balance": _maybe(dice, lambda: dice.choice([0, 2_500_000, 10_000_000, -1_000_000])),
        "vip": _maybe(dice, lambda: dice.random() < 0.5),
        "anniversary": _maybe(dice, lambda: _day(dice)),
        "trial_ends_at": _maybe(dice, lambda: instant(dice)),
        "client": _maybe(dice, lambda: dice.choice(VERSIONS)),
        "interests": _maybe(dice, lambda: dice.sample(LABELS, dice.randrange(0, 4))),
    }
    apps = [app for app in APPS if dice.random() < 0.8]
    return Person(
        customer_key=key,
        profile=profile,
        app_facts={app: _app_facts(dice) for app in apps},
        holdings=tuple(_holding(app, dice) for app in apps for _ in range(dice.randrange(3))),
        devices=tuple(_device(app, dice) for app in apps for _ in range(dice.randrange(3))),
        events=tuple(sorted(_events(apps, dice), key=lambda event: event.happened_at)),
    )


def _app_facts(dice: random.Random) -> dict[str, Any]:
    return {
        "acquired_at": _maybe(dice, lambda: instant(dice), 0.9),
        "acquisition_type": dice.choice(("free", "trial", "paid", None)),
        "addon_acquired_at": _maybe(dice, lambda: instant(dice)),
        "campaign_id": _maybe(dice, lambda: dice.choice(TEXTS)),
        "referrer_domain": _maybe(dice, lambda: dice.choice(("example.com", "blog.example.org"))),
        "page_viewed_at": _maybe(dice, lambda: instant(dice)),
        "channel_type": dice.choice(("campaign", "store", "other", None)),
        "first_used_at": _maybe(dice, lambda: instant(dice)),
        "last_used_at": _maybe(dice, lambda: instant(dice)),
        "session_count": _maybe(dice, lambda: dice.choice([0, 1, 5, 10])),
        "engagement_minutes": _maybe(dice, lambda: dice.choice([0, 3, 10])),
        "rating": _maybe(dice, lambda: float(dice.choice([1, 2, 3, 4, 5]))),
        "rated_at": _maybe(dice, lambda: instant(dice)),
        "app_spend_micros": _maybe(dice, lambda: dice.choice([0, 5_000_000, 10_000_000, 10_000_001])),
        "churn_predicted": _maybe(dice, lambda: dice.random() < 0.5),
        "churn_probability": _maybe(dice, lambda: dice.choice([0.1, 0.5, 0.9])),
        "plan": _maybe(dice, lambda: dice.choice(("Basic", "PRO", "pro"))),
        "seats": _maybe(dice, lambda: float(dice.choice(NUMBERS))),
    }


def _holding(app: str, dice: random.Random) -> Holding:
    return Holding(app, dice.choice(LABELS), _maybe(dice, lambda: instant(dice), 0.5))


def _device(app: str, dice: random.Random) -> dict[str, Any]:
    return {
        "app": app,
        "device_family": dice.choice(("phone", "desktop", None)),
        "os": dice.choice(("iOS", "Android", "windows")),
        "os_version": dice.choice(VERSIONS),
        "app_version": _maybe(dice, lambda: dice.choice(VERSIONS)),
        "device_model": _maybe(dice, lambda: dice.choice(TEXTS)),
        "last_seen_at": instant(dice),
    }


def _events(apps: list[str], dice: random.Random) -> list[PersonEvent]:
    found = []
    for app in apps:
        for _ in range(dice.choice([0, 1, 2, 4, 8])):
            event = dice.choice(("level_up", "level_up", "shared", "app_crashed"))
            found.append(PersonEvent(app, event, instant(dice), _properties(event, dice)))
        for number in range(dice.choice([0, 0, 1, 3])):
            found.append(_order(app, f"{app}-{dice.random()}-{number}", dice))
    return found


def _properties(event: str, dice: random.Random) -> dict[str, Any]:
    if event == "shared":
        return {"where": {"place": dice.choice(TEXTS)}} if dice.random() < 0.8 else {"where": dice.choice(TEXTS)}
    candidates = {
        # Apps send what they like: now and then a property comes in another type.
        "level": lambda: dice.choice([*NUMBERS, *NUMBERS, *HUGE, "5", True]),
        "world": lambda: dice.choice([*TEXTS, *HUGE, 5, 2.5]),
        "hard": lambda: dice.choice([True, False, "true"]),
        "build": lambda: dice.choice(VERSIONS),
        "tags": lambda: dice.sample(LABELS, dice.randrange(0, 3)),
        "at_time": lambda: dice.choice([*[instant(dice).isoformat()] * 8, *ODD_INSTANTS, "yesterday", "2026-11-20"]),
        "deadline": lambda: dice.choice([*[_day(dice).isoformat()] * 4, *ODD_DAYS, "soon"]),
    }
    return {name: make() for name, make in candidates.items() if dice.random() < 0.7}


def _order(app: str, order_id: str, dice: random.Random) -> PersonEvent:
    total = dice.choice([0.0, 9.99, 10.0, 25.5])
    return PersonEvent(app, "order_completed", instant(dice), {"order_id": order_id, "total": total, "currency": "EUR"})


def load(town_: Town, warehouse: DuckDBWarehouse) -> None:
    """Fills the derived relations directly: what is tested here is asking, not deriving."""
    warehouse.use_catalog(catalog())
    for table, rows in _tables(town_).items():
        if rows:
            warehouse.load(table, pa.Table.from_pylist(rows, schema=_schema(table)))


_TYPES = {
    "string": pa.string(), "uint32": pa.uint32(), "uint16": pa.uint16(), "uint8": pa.uint8(), "int32": pa.int32(),
    "int64": pa.int64(), "float64": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp(6)": pa.timestamp("us"), "array<string>": pa.list_(pa.string()),
}  # fmt: skip  # a table, read by rows


def _schema(table: str) -> pa.Schema:
    from muster.warehouse.relations import ASKABLE, custom_columns

    columns = dict(ASKABLE[table])
    scope = {"profiles": Scope.CUSTOMER, "app_facts": Scope.APP}.get(table)
    for one in _CUSTOM:
        if one.scope is scope:
            columns |= custom_columns(f"c_{one.number}", one.type)
    if table == "events":
        columns |= {"props": "string"}
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])


def _tables(town_: Town) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = {
        "profiles": [],
        "app_facts": [],
        "holdings": [],
        "devices": [],
        "orders": [],
        "events": [],
    }
    events = town_.context.vocabulary.events
    for person in town_.people:
        key = {"customer_key": person.customer_key}
        tables["profiles"].append(key | _stored(person.profile))
        tables["app_facts"] += [
            key | {"app_key": APPS[app]} | _stored(facts) for app, facts in person.app_facts.items()
        ]
        tables["holdings"] += [
            key | {"app_key": APPS[one.app], "addon": one.addon, "expires_at": _naive(one.expires_at)}
            for one in person.holdings
        ]
        tables["devices"] += [
            key | {"app_key": APPS[device["app"]], "device_key": number} | _stored(device)
            for number, device in enumerate(person.devices)
        ]
        for event in person.events:
            row = key | {"app_key": APPS[event.app], "happened_at": _naive(event.happened_at)}
            if event.event == "order_completed":
                amount = round(event.properties["total"] * 1_000_000)
                order = {"order_id": event.properties["order_id"], "currency": "EUR", "state": "completed"}
                tables["orders"].append(row | order | {"amount_micros": amount, "base_micros": amount})
            else:
                stored = {"event": events[event.event].number, "props": json.dumps(event.properties)}
                tables["events"].append(row | stored)
    return tables


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    """Plain values as the store has them: custom columns by number, versions with their sortable key."""
    numbers = {one.key: one for one in _CUSTOM}
    stored: dict[str, Any] = {}
    for name, value in row.items():
        custom = numbers.get(name.removesuffix("_micros"))
        column = f"c_{custom.number}" if custom else name
        stored[column] = _naive(value) if isinstance(value, datetime) else value
        if name in ("os_version", "app_version") or (custom and custom.type is Type.VERSION):
            stored[f"{column}_key"] = version_key(value) if value is not None and is_version(value) else None
    return stored


def _naive(instant_: datetime | None) -> datetime | None:
    return None if instant_ is None else instant_.replace(tzinfo=None)
