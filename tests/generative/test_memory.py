"""Whatever happens to customers, lists and definitions: members are who a plain evaluation from scratch finds, now and
at every past instant that is remembered (G-15, G-17, G-23, G-25).

`MUSTER_HISTORIES` sets how many histories are lived through.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from muster.catalog.actions import create_app, declare_attribute
from muster.catalog.queries import warehouse_catalog
from muster.customers.hooks import provide_ledger, provide_warehouse
from muster.customers.privacy.actions.erasures import request_erasure, run_erasure
from muster.customers.queries import customer_key
from muster.engine.reference.evaluate import World, members
from muster.groups.actions.lists import (
    create_known,
    put_in_force,
    rematch_known,
    restore_list,
    sweep_lists,
    write_list,
)
from muster.groups.actions.membership import refresh_groups
from muster.groups.actions.memory import coalesce
from muster.groups.actions.segments import create_segment, edit_group
from muster.groups.errors import UndoExpired
from muster.groups.models import Group
from muster.groups.queries.clock import group_at
from muster.groups.queries.evaluation import context, definition_of, list_files, stored_members
from muster.groups.queries.history import recall
from muster.groups.terms import UNDO_DAYS, Cause, Kind
from muster.kernel.clock import clock_of
from muster.kernel.ids import customer_id
from muster.rules.standard_events import STANDARD_EVENTS
from muster.team.policies import LOCAL
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Email, Item, Occurrence
from muster.warehouse.ledger import ErasureLedger
from muster.warehouse.lists.entries import EntryKind, named
from muster.warehouse.lists.files import SCHEMA
from muster.warehouse.port import Person

HISTORIES = int(os.environ.get("MUSTER_HISTORIES", "12"))
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
PEOPLE = ("u0", "u1", "u2", "u3")
VISITORS = ("a0", "a1")
ADDRESSES = ("ann@example.com", "BOB@example.com", "carl@bücher.example")
ENTRIES = (*ADDRESSES, "external:u0", "external:u9", "cus_1", "cus_3", "never@example.com")

_said = st.tuples(st.sampled_from([*PEOPLE, *VISITORS]), st.integers(0, 5), st.sampled_from([None, *ADDRESSES]))
_steps = st.one_of(
    st.tuples(st.just("import"), st.lists(_said, min_size=1, max_size=4)),
    st.tuples(st.just("undo import"), st.integers(0, 3)),
    st.tuples(st.just("edit"), st.integers(0, 5)),
    st.tuples(st.just("list"), st.lists(st.sampled_from(ENTRIES), max_size=5, unique=True)),
    st.tuples(st.just("undo list"), st.none()),
    st.tuples(st.just("merge"), st.tuples(st.sampled_from(VISITORS), st.sampled_from(PEOPLE))),
    st.tuples(
        st.just("clock"),
        st.sampled_from([timedelta(seconds=20), timedelta(minutes=5), timedelta(hours=26), timedelta(days=31)]),
    ),
    st.tuples(st.just("coalesce"), st.none()),
    st.tuples(st.just("erase"), st.sampled_from(PEOPLE)),
)


@dataclass
class Life:
    """One installation while its history goes on."""

    warehouse: DuckDBWarehouse
    now: datetime = BEGIN
    sources: list[int] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    items: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)
    seen: dict[datetime, list[dict[str, BitMap]]] = field(default_factory=dict)
    """All states at an instant, in order: a clock may stand still."""

    def step(self, kind: str, given: Any) -> None:
        match kind:
            case "import":
                self._import(given)
            case "undo import" if given < len(self.sources):
                self.warehouse.remove_source(self.sources.pop(given), warehouse_catalog())
            case "edit":
                revision = Group.objects.get(key="points").revision
                edit_group(LOCAL, "points", revision=revision, definition=_points(given))
            case "list":
                self._list(given)
            case "undo list" if self.lists:
                self._undo_list(self.lists.pop())
            case "merge":
                self._append([self._item(given[1], anonymous=given[0])])
            case "clock":
                self.now += given
            case "coalesce":
                coalesce(self.now)
            case "erase" if (key := customer_key(f"external:{given}")) is not None:
                self._erase(key)

    def _erase(self, key: int) -> None:
        """As if they had never been: also in what was seen before."""
        ordered = request_erasure(LOCAL, [customer_id(key)], confirm=customer_id(key), grace_hours=0)
        assert run_erasure(ordered.id).state == "done"
        for states in self.seen.values():
            for state in states:
                for found in state.values():
                    found.discard(key)

    def refresh(self) -> None:
        rematch_known(Cause.DATA)
        refresh_groups(cause=Cause.DATA)

    def note(self) -> None:
        """Everybody's members now, checked against a plain evaluation from scratch."""
        found = {row.key: stored_members(row) for row in Group.objects.all()}
        assert found == self._from_scratch()
        self.seen.setdefault(self.now, []).append(found)

    def _from_scratch(self) -> dict[str, BitMap]:
        people = list(self.warehouse.people(range(1, self.warehouse.highest_key() + 1)).values())
        listed = Group.objects.get(key="listed")
        found = {"listed": self._named(listed, people)}
        known = {listed.id: found["listed"]}
        here = context(self.now)
        for row in Group.objects.filter(kind=Kind.SEGMENT):
            definition = definition_of(row, here.vocabulary)
            found[row.key] = BitMap(members(definition, people, World(here, known)))
        return found

    def _named(self, row: Group, people: list[Person]) -> BitMap:
        entries = list_files().read(row.id, row.list_version).read_all().to_pylist()
        named_here = {(one["kind"], one["identity"]) for one in entries}
        survivors = [self.warehouse.survivor_of(int(text)) for kind, text in named_here if kind == EntryKind.CUSTOMER]
        return BitMap([key for key in survivors if key is not None]) | BitMap(
            person.customer_key for person in people if _names_of(person) & named_here
        )

    def _import(self, said: list[tuple[str, int, str | None]]) -> None:
        source = max(self.sources, default=0) + 1 + self.items
        self.sources.append(source)
        self._append([self._item(who, source=source, points=points, address=address) for who, points, address in said])

    def _item(
        self,
        who: str,
        *,
        source: int = 0,
        anonymous: str | None = None,
        points: int | None = None,
        address: str | None = None,
    ) -> Item:
        self.items += 1
        visitor = who in VISITORS
        return Item(
            hash=hashlib.md5(str(self.items).encode()).digest(),
            happened_at=self.now,
            app=1,
            external_id=None if visitor else who,
            anonymous_id=who if visitor else anonymous,
            source=source,
            traits={} if points is None else {"points": points},
            event=Occurrence(STANDARD_EVENTS["app_opened"].number, {}),
            emails=() if address is None else (Email(address, verified=True),),
        )

    def _append(self, items: list[Item]) -> None:
        self.warehouse.append(batch_of(items, self.now), warehouse_catalog())

    def _list(self, entries: list[str]) -> None:
        row = Group.objects.get(key="listed")
        known = [named(entry) for entry in entries]
        columns = {"kind": [one.kind for one in known], "entry": entries, "identity": [one.identity for one in known]}
        source = f"imp_{next(self.numbers)}"
        put_in_force(row, write_list(row, pa.table(columns, schema=SCHEMA).to_batches(), source))
        self.lists.append(source)

    def _undo_list(self, source: str) -> None:
        row = Group.objects.get(key="listed")
        if self.now - row.lists.get(source=source).made_at > UNDO_DAYS:
            # It stands in the way of those before it.
            self.lists.append(source)
            with pytest.raises(UndoExpired):
                restore_list(row, source)
        else:
            restore_list(row, source)


def _names_of(person: Person) -> set[tuple[int, str]]:
    addresses = {(int(EntryKind.EMAIL), str(one["normal"])) for one in person.emails if one["verified"]}
    return addresses | {(int(EntryKind.EXTERNAL), text) for kind, _, text in person.identities if kind == "external"}


def _points(least: int) -> dict[str, Any]:
    return {"version": 1, "app": "notes", "match": {"attribute": "points", "op": "gte", "value": least}}


def _create_groups() -> None:
    create_known(LOCAL, name="Listed", key="listed")
    create_segment(LOCAL, name="Points", key="points", definition=_points(2))
    recent = {"attribute": "last_used_at", "op": "in_last", "value": "P1D"}
    create_segment(LOCAL, name="Recent", key="recent", definition={"version": 1, "app": "notes", "match": recent})
    mixed = {"all": [{"group": "listed"}, {"none": [{"attribute": "points", "op": "is_not_set"}]}]}
    create_segment(LOCAL, name="Mixed", key="mixed", definition={"version": 1, "app": "notes", "match": mixed})


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(Path(tmp_path_factory.mktemp("warehouse"))) as warehouse:
        provide_warehouse(warehouse)
        yield warehouse
        provide_warehouse(None)
        provide_ledger(None)


@pytest.fixture
def warehouse(opened: DuckDBWarehouse, transactional_db: None) -> DuckDBWarehouse:
    create_app(LOCAL, key="notes")
    declare_attribute(LOCAL, key="points", type="number")
    return opened


@settings(
    max_examples=HISTORIES,
    # A history of a dozen steps is read as it is; making it shorter takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=st.lists(_steps, min_size=4, max_size=12))
def test_members_are_right_now_and_at_every_instant_kept(
    warehouse: DuckDBWarehouse, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    Group.objects.all().delete()
    sweep_lists()
    warehouse.clear()
    # A history of its own: nobody was erased before it began.
    ledger = ErasureLedger(tmp_path_factory.mktemp("ledger") / "erasures", "key")
    warehouse.use_ledger(ledger)
    provide_ledger(ledger)
    warehouse.use_catalog(warehouse_catalog())
    life = Life(warehouse)
    with clock_of(lambda: life.now):
        _create_groups()
        life.note()
        for kind, given_step in steps:
            life.step(kind, given_step)
            life.refresh()
            life.note()
        for row in Group.objects.all():
            for instant, states in life.seen.items():
                recalled = recall(row, instant)
                # Within a coalesced change the state before it is told, and that it is not exact.
                possible = states[-1:] if recalled.exact else life.seen[recalled.recorded_at]
                assert recalled.members in [state[row.key] for state in possible], (row.key, instant)
            # The clock that stands still gives what is stored.
            assert group_at(row, life.now).members == stored_members(row)
