"""An installation while things happen to it: people act, are merged and erased; definitions, lists and clocks move.

Whatever is done answers whom it touched, as the warehouse told it.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st
from pyroaring import BitMap

from muster.catalog.actions import create_app, declare_attribute, declare_event, edit_publisher
from muster.catalog.queries import warehouse_catalog
from muster.customers.privacy.actions.erasures import request_erasure, run_erasure
from muster.customers.queries import customer_key
from muster.engine.atoms import PopulationKey, Ranked
from muster.engine.reference.evaluate import World, in_population, truth
from muster.engine.refresh import in_order
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.following.kept import limits_of
from muster.groups.actions.lists import create_known, put_in_force, rematch_known, write_list
from muster.groups.actions.membership import refresh_groups
from muster.groups.actions.segments import change_state, create_segment, edit_group
from muster.groups.models import Group
from muster.groups.queries.evaluation import context, definition_of, list_files
from muster.groups.terms import EVALUATED, Cause, Kind, State
from muster.kernel.errors import MusterError
from muster.kernel.ids import customer_id
from muster.rules.codec import encode
from muster.rules.nodes import AnyOf, AttributeCondition, Definition, EventCondition, NoneOf, PropertyFilter, Window
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Attribute, Event, Scope, Type, Vocabulary
from muster.team.policies import LOCAL
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import Trust
from muster.warehouse.duckdb.consents import ConsentEntry
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Device, Email, Item, Line, Occurrence, OrderEntry
from muster.warehouse.lists.entries import EntryKind, named
from muster.warehouse.lists.files import SCHEMA
from muster.warehouse.port import Person
from tests.generative.definitions import Pools, definitions

BEGIN = datetime(2026, 2, 27, 22, 30, tzinfo=UTC)
PEOPLE = ("u0", "u1", "u2", "u3", "u4")
VISITORS = ("a0", "a1")
ADDRESSES = ("ann@example.com", "BOB@example.com", "carl@bücher.example")
ENTRIES = (*ADDRESSES, "external:u0", "external:u9", "cus_1", "cus_3", "never@example.com")
SEGMENTS = ("first", "second", "third", "fourth")
_ATTRIBUTES = {
    "points": Attribute("points", Type.NUMBER, Scope.CUSTOMER),
    "budget": Attribute("budget", Type.MONEY, Scope.CUSTOMER),
    "met_on": Attribute("met_on", Type.DATE, Scope.CUSTOMER),
    "trial_ends_at": Attribute("trial_ends_at", Type.TIMESTAMP, Scope.CUSTOMER),
    "plan": Attribute("plan", Type.TEXT, Scope.APP),
}
_ASKED = (
    "acquired_at", "addons_owned", "first_used_at", "last_used_at", "session_count", "age", "age_group", "country",
    "has_purchased", "purchase_count", "last_purchase_at", "store_spend", "app_spend", "rating", "os", "app_version",
)  # fmt: skip  # a table, read by rows
_PROPERTIES = {"level": Type.NUMBER, "world": Type.TEXT, "renews_at": Type.TIMESTAMP, "due_on": Type.DATE}
# Numbers as the catalog gives them: the first custom event is 256.
VOCABULARY = Vocabulary(
    attributes={key: STANDARD_ATTRIBUTES[key] for key in _ASKED} | _ATTRIBUTES,
    events={"level_up": Event("level_up", 256, _PROPERTIES)}
    | {
        key: Event(key, STANDARD_EVENTS[key].number, STANDARD_EVENTS[key].properties)
        for key in ("app_opened", "order_completed", "session", "product_purchased")
    },
    apps={"notes": 1, "shop": 2},
    groups={key: key for key in ("listed", *SEGMENTS[:2])},
)
_DAYS = (1, 7, 30, 90, 365)
POOLS = Pools(
    texts=("pro", "basic", "north"),
    numbers=tuple(map(Decimal, ("0", "1", "2", "3", "10", "18", "40"))),
    versions=("1.0.0", "1.2.3", "2.0"),
    days=(BEGIN.date(), BEGIN.date() - timedelta(days=30), BEGIN.date() + timedelta(days=2)),
    instants=(BEGIN, BEGIN - timedelta(days=30), BEGIN + timedelta(days=3)),
    durations=(*(timedelta(days=days) for days in _DAYS), timedelta(hours=12), timedelta(minutes=30)),
    texts_of={"country": ("NO", "DE"), "os": ("iOS", "android"), "addons_owned": ("club", "tour")},
    paths=("unseen",),
)
_MOMENTS = ("last_used_at", "acquired_at", "first_used_at", "last_purchase_at", "trial_ends_at", "met_on")
_durations = st.sampled_from(POOLS.durations)
_told = st.one_of(
    st.builds(
        PropertyFilter,
        st.just("renews_at"),
        st.sampled_from(["in_last", "not_in_last", "in_next"]),
        _durations,
        st.just(Type.TIMESTAMP),
    ),
    st.builds(
        PropertyFilter,
        st.just("due_on"),
        st.just("anniversary_in_next"),
        st.sampled_from(POOLS.anniversaries),
        st.just(Type.DATE),
    ),
)
# What changes by itself, and soon: drawn as often as everything else together.
_timely = st.one_of(
    st.builds(
        AttributeCondition,
        st.sampled_from(_MOMENTS),
        st.sampled_from(["in_last", "not_in_last", "in_next"]),
        _durations,
    ),
    st.builds(
        AttributeCondition, st.just("met_on"), st.just("anniversary_in_next"), st.sampled_from(POOLS.anniversaries)
    ),
    st.builds(
        EventCondition,
        st.sampled_from(["level_up", "app_opened", "session", "order_completed"]),
        when=_durations.map(lambda length: Window(last=length)),
        op=st.sampled_from(["gte", "lt", "is"]),
        value=st.sampled_from([Decimal(1), Decimal(2)]),
    ),
    st.builds(
        EventCondition,
        st.just("level_up"),
        where=st.tuples(_told),
        op=st.sampled_from(["gte", "lt"]),
        value=st.just(Decimal(1)),
    ),
    st.builds(AttributeCondition, st.just("age"), st.just("gte"), st.sampled_from([Decimal(18), Decimal(40)])),
    st.just(AttributeCondition("age_group", "is", "18-24")),
    st.just(AttributeCondition("addons_owned", "has_any", ("club",))),
    st.just(AttributeCondition("os", "is", "iOS")),
    st.just(AttributeCondition("points", "top_percent", Decimal(50))),
)
_nodes = st.one_of(_timely, _timely.map(lambda node: NoneOf((node,))), st.tuples(_timely, _timely).map(AnyOf))
DEFINITIONS = st.one_of(
    st.builds(Definition, _nodes, st.sampled_from([None, "notes"])),
    definitions(VOCABULARY, max_depth=2, pools=POOLS, max_children=3),
)

_ages = st.sampled_from(
    [
        timedelta(),
        timedelta(),
        timedelta(seconds=40),
        timedelta(hours=11, minutes=59),
        *(timedelta(days=one) for one in _DAYS),
        # About to leave a window.
        *(timedelta(days=one) - timedelta(seconds=10) for one in _DAYS),
        *(length - timedelta(seconds=10) for length in POOLS.durations if length < timedelta(days=1)),
    ]
)
_traits = st.fixed_dictionaries(
    {},
    optional={
        "points": st.sampled_from([0, 1, 2, 3, 10, None]),
        "budget": st.sampled_from([0, "2.5", 40]),
        "met_on": st.sampled_from(["2026-02-27", "2026-01-29", "2024-02-29", "2026-03-01", None]),
        "trial_ends_at": st.sampled_from(["2026-02-27T23:00:00Z", "2026-03-02T00:00:00Z", "2026-01-28T22:30:20Z"]),
        "plan": st.sampled_from(["pro", "basic"]),
        "country": st.sampled_from(["NO", "DE"]),
        "birthday": st.sampled_from(["1986-02-28", "2009-02-28", "2008-02-29", "2001-03-01", "1975-12-31"]),
    },
)
_said = st.fixed_dictionaries(
    {
        "who": st.sampled_from([*PEOPLE, *PEOPLE, *VISITORS]),
        "ago": _ages,
        "says": st.sampled_from(
            ["level_up", "level_up", "app_acquired", "app_opened", "order", "rating", "addon", "nothing"]
        ),
        "app": st.sampled_from([1, 1, 2]),
        "number": st.sampled_from([1, 2, 3, 10]),
        "traits": _traits,
        "address": st.sampled_from([None, None, *ADDRESSES]),
        "device": st.sampled_from([None, None, ("d1", "iOS", "1.0.0"), ("d2", "Android", "1.2.3")]),
        "source": st.sampled_from([0, 0, 7]),
    }
)
_VERBS = ("archive", "restore", "refresh")
_SETTINGS = ({"minimum_age": 0}, {"minimum_age": 18}, {"require_known_age": True})
_CLOCK = (
    timedelta(microseconds=1), timedelta(seconds=20), timedelta(seconds=20), timedelta(minutes=31), timedelta(hours=2),
    timedelta(hours=12), timedelta(days=1), timedelta(days=7), timedelta(days=31), timedelta(days=91),
    timedelta(hours=-3),
)  # fmt: skip  # a table, read by rows
STEPS = st.one_of(
    *[st.tuples(st.just("items"), st.lists(_said, min_size=1, max_size=3))] * 4,
    st.tuples(st.just("undo"), st.just(7)),
    st.tuples(st.just("merge"), st.tuples(st.sampled_from(VISITORS), st.sampled_from(PEOPLE))),
    st.tuples(st.just("join"), st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))),
    st.tuples(st.just("consent"), st.tuples(st.sampled_from(PEOPLE), st.booleans())),
    st.tuples(st.just("erase"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("edit"), st.tuples(st.sampled_from(SEGMENTS), DEFINITIONS)),
    st.tuples(st.just("state"), st.tuples(st.sampled_from(SEGMENTS), st.sampled_from(_VERBS))),
    st.tuples(st.just("list"), st.lists(st.sampled_from(ENTRIES), max_size=5, unique=True)),
    st.tuples(st.just("refresh"), st.none()),
    st.tuples(st.just("settings"), st.sampled_from(_SETTINGS)),
    *[st.tuples(st.just("clock"), st.sampled_from(_CLOCK))] * 4,
)


@dataclass
class Life:
    warehouse: DuckDBWarehouse
    now: datetime = BEGIN
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def begin(self, chosen: list[Definition]) -> None:
        """The catalog, the list, and the segments; later ones may refer to the first two."""
        for app in ("notes", "shop"):
            create_app(LOCAL, key=app)
        for attribute in _ATTRIBUTES.values():
            declare_attribute(LOCAL, key=attribute.key, type=attribute.type, scope=attribute.scope)
        declare_event(LOCAL, key="level_up", properties={path: str(kind) for path, kind in _PROPERTIES.items()})
        self.warehouse.use_catalog(warehouse_catalog())
        create_known(LOCAL, name="Listed", key="listed")
        for key, definition in zip(SEGMENTS, chosen, strict=True):
            try:
                create_segment(LOCAL, name=key, key=key, definition=encode(definition))
            except MusterError:
                # It names one that is not there yet.
                create_segment(LOCAL, name=key, key=key, definition={"version": 1, "match": {"everyone": True}})

    def step(self, kind: str, given: Any) -> BitMap:
        """Answers whom it touched, as far as others do not bring the groups up to date themselves."""
        match kind:
            case "items":
                return self._append([self._item(**said) for said in given])
            case "undo":
                return self.warehouse.remove_source(given, warehouse_catalog())
            case "merge":
                return self._append([self._seen(external_id=given[1], anonymous_id=given[0])])
            case "join":
                return self._append([self._seen(external_id=given[1], previous_id=given[0])])
            case "consent" if (key := customer_key(f"external:{given[0]}")) is not None:
                entry = ConsentEntry(key, "profiling", given[1], self.now)
                return self.warehouse.put_consents([entry], warehouse_catalog())
            case "erase" if (key := customer_key(f"external:{given}")) is not None:
                ordered = request_erasure(LOCAL, [customer_id(key)], confirm=customer_id(key), grace_hours=0)
                assert run_erasure(ordered.id).state == "done"
            case "edit":
                self._edit(*given)
            case "state":
                # Not every state leads everywhere, and what is used stays.
                with suppress(MusterError):
                    change_state(LOCAL, given[0], given[1])
            case "list":
                self._list(given)
            case "refresh":
                rematch_known(Cause.FULL)
                refresh_groups(cause=Cause.FULL)
            case "settings":
                edit_publisher(LOCAL, revision=None, **given)
            case "clock":
                self.now += given
        return BitMap()

    def _edit(self, key: str, definition: Definition) -> None:
        row = Group.objects.get(key=key)
        # Groups may not refer to each other in a circle.
        with suppress(MusterError):
            edit_group(LOCAL, key, revision=row.revision, definition=encode(definition))

    def _seen(self, **who: Any) -> Item:
        return Item(hash=self._hash(), happened_at=self.now, app=1, trust=Trust.SERVER, event=_opened(), **who)

    def _hash(self) -> bytes:
        return hashlib.md5(str(next(self.numbers)).encode()).digest()

    def _item(
        self,
        *,
        who: str,
        ago: timedelta,
        says: str,
        app: int,
        number: int,
        traits: dict[str, Any],
        address: str | None,
        device: tuple[str, str, str] | None,
        source: int,
    ) -> Item:
        visitor = who in VISITORS
        return Item(
            hash=self._hash(),
            happened_at=self.now - ago,
            app=app,
            external_id=None if visitor else who,
            anonymous_id=who if visitor else None,
            source=source,
            traits=traits,
            event=_event(says, number),
            order=_order(says, number),
            emails=() if address is None else (Email(address, verified=True),),
            device=None if device is None else Device(device[0], os=device[1], app_version=device[2]),
        )

    def _append(self, items: list[Item]) -> BitMap:
        """A few come alone: their facts are derived later (ADR 0027)."""
        if len(items) == 2:
            return self.warehouse.append(batch_of(items, self.now), warehouse_catalog()).touched
        return self.warehouse.append_items(items, self.now, warehouse_catalog(), {}).touched

    def _list(self, entries: list[str]) -> None:
        row = Group.objects.get(key="listed")
        known = [named(entry) for entry in entries]
        columns = {"kind": [one.kind for one in known], "entry": entries, "identity": [one.identity for one in known]}
        made = write_list(row, pa.table(columns, schema=SCHEMA).to_batches(), f"imp_{next(self.numbers)}")
        put_in_force(row, made)

    # What is right

    def from_scratch(self) -> dict[str, tuple[BitMap, int]]:
        """By key of every group in force its members and the size of its population, evaluated plainly; ranks begin
        where the last evaluation of everybody found them to."""
        people = list(self.warehouse.people(range(1, self.warehouse.highest_key() + 1)).values())
        here = context(self.now)
        listed = Group.objects.get(key="listed")
        members: dict[str, BitMap] = {listed.id: self._named(listed, people)}
        found = {"listed": (members[listed.id], 0)}
        rows = {row.id: row for row in Group.objects.filter(kind=Kind.SEGMENT, state__in=EVALUATED)}
        definitions_ = {one: definition_of(row, here.vocabulary) for one, row in rows.items()}
        for identifier in in_order(definitions_):
            limit, definition = limits_of(rows[identifier]), definitions_[identifier]
            world = World(here, members, lambda one, app, limit=limit: limit(Ranked(one, PopulationKey(app))))
            population = [person for person in people if in_population(person, definition.app, here)]
            members[identifier] = BitMap(
                person.customer_key for person in population if truth(definition.match, person, definition.app, world)
            )
            found[rows[identifier].key] = (members[identifier], len(population))
        return found

    def _named(self, row: Group, people: list[Person]) -> BitMap:
        entries = list_files().read(row.id, row.list_version).read_all().to_pylist() if row.list_version else []
        named_here = {(one["kind"], one["identity"]) for one in entries}
        survivors = [self.warehouse.survivor_of(int(text)) for kind, text in named_here if kind == EntryKind.CUSTOMER]
        return BitMap([key for key in survivors if key is not None]) | BitMap(
            person.customer_key for person in people if _names_of(person) & named_here
        )


def _opened() -> Occurrence:
    return Occurrence(STANDARD_EVENTS["app_opened"].number, {})


def _event(says: str, number: int) -> Occurrence | None:
    match says:
        case "level_up":
            then = BEGIN + timedelta(days=number)
            told = {"renews_at": then.isoformat(), "due_on": then.replace(year=2024).date().isoformat()}
            return Occurrence(256, {"level": number, "world": "north", **told})
        case "app_acquired":
            return Occurrence(STANDARD_EVENTS["app_acquired"].number, {"acquisition_type": "paid"})
        case "app_opened":
            return _opened()
        case "rating":
            return Occurrence(STANDARD_EVENTS["app_rated"].number, {"rating": min(number, 5)})
        case "addon":
            ends = (BEGIN + timedelta(days=number - 2)).isoformat()
            return Occurrence(STANDARD_EVENTS["addon_acquired"].number, {"addon": "club", "expires_at": ends})
    return None


def _order(says: str, number: int) -> OrderEntry | None:
    if says != "order":
        return None
    lines = (Line(product_id="tour", price_micros=number * 1_000_000, quantity=Decimal(1)),)
    return OrderEntry("completed", f"o{number}", amount_micros=number * 1_000_000, currency="EUR", lines=lines)


def _names_of(person: Person) -> set[tuple[int, str]]:
    addresses = {(int(EntryKind.EMAIL), str(one["normal"])) for one in person.emails if one["verified"]}
    return addresses | {(int(EntryKind.EXTERNAL), text) for kind, _, text in person.identities if kind == "external"}


def forget_life(warehouse: DuckDBWarehouse) -> None:
    """Everything as before any life was lived."""
    from django.apps import apps

    for model in (*apps.get_app_config("groups").get_models(), *apps.get_app_config("catalog").get_models()):
        model.objects.all().delete()  # type: ignore[attr-defined]  # every model has one
    warehouse.clear()
    FOLLOWED.begin_anew()
    FOLLOWED.take_again()


__all__ = ["BEGIN", "DEFINITIONS", "SEGMENTS", "STEPS", "Life", "State", "forget_life"]
