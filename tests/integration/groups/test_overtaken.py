"""G-9, G-16: whoever stores last has seen what others stored. Here one deed happens in the midst of another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection

from muster.catalog.actions import create_app, declare_attribute
from muster.catalog.queries import warehouse_catalog
from muster.customers.queries import customer_key
from muster.groups.actions.lists import create_known, put_in_force, write_list
from muster.groups.actions.membership import refresh_groups
from muster.groups.actions.segments import create_segment, edit_group
from muster.groups.errors import Overtaken
from muster.groups.models import Group
from muster.groups.queries.evaluation import stored_members
from muster.groups.terms import Cause
from muster.kernel.clock import clock_of
from muster.rules.standard_events import STANDARD_EVENTS
from muster.team.policies import LOCAL
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item, Occurrence
from muster.warehouse.lists.entries import EntryKind
from muster.warehouse.lists.files import SCHEMA
from tests.integration.personas import open_store

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
# Where a deed looks at the clock outside its transaction, others may come in between. None looks more often.
PLACES = range(1, 9)


class Interrupted:
    """A clock at whose n-th look something else happens; `always`: at every look."""

    def __init__(self, deed: Callable[[], object], place: int = 0, *, always: bool = False) -> None:
        self._deed, self._place, self._always = deed, place, always
        self._looks = 0
        self._busy = False
        self.happened = 0

    def __call__(self) -> datetime:
        # In its transaction a deed is alone.
        if not self._busy and not connection.in_atomic_block:
            self._looks += 1
            if self._always or self._looks == self._place:
                self._busy = True
                self._deed()
                self._busy = False
                self.happened += 1
        return NOW


def _points(least: int) -> dict[str, Any]:
    return {"version": 1, "match": {"attribute": "points", "op": "gte", "value": least}}


def _in_group(key: str) -> dict[str, Any]:
    return {"version": 1, "match": {"group": key}}


def _bring(warehouse: DuckDBWarehouse, **points: int) -> None:
    opened = Occurrence(STANDARD_EVENTS["app_opened"].number, {})
    items = [
        Item(
            hash=hashlib.md5(who.encode()).digest(),
            happened_at=NOW,
            app=1,
            external_id=who,
            traits={"points": many},
            event=opened,
        )
        for who, many in points.items()
    ]
    warehouse.append(batch_of(items, NOW), warehouse_catalog())


def _inside(key: str) -> list[str]:
    members = stored_members(Group.objects.get(key=key))
    keys = {who: customer_key(f"external:{who}") for who in ("ann", "bob", "carl", "dora")}
    return [who for who, key in keys.items() if key is not None and key in members]


@pytest.fixture
def warehouse(db: None, tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    """ann has one point, bob two, carl three; `rich` have two, and `friends` are who is rich."""
    with open_store(tmp_path) as opened, clock_of(lambda: NOW):
        create_app(LOCAL, key="notes")
        declare_attribute(LOCAL, key="points", type="number")
        _bring(opened, ann=1, bob=2, carl=3)
        create_segment(LOCAL, name="Rich", key="rich", definition=_points(2))
        create_segment(LOCAL, name="Friends", key="friends", definition=_in_group("rich"))
        yield opened


def _amid(deed: Callable[[], object], other: Callable[[], object], place: int) -> None:
    """`other` at that place of `deed`, or after it where it has none."""
    clock = Interrupted(other, place)
    with clock_of(clock):
        deed()
    if not clock.happened:
        other()


@pytest.mark.parametrize("place", PLACES)
def test_edit_sees_what_a_refresh_in_between_has_found(warehouse: DuckDBWarehouse, place: int) -> None:
    def refresh() -> None:
        _bring(warehouse, dora=1)
        refresh_groups(cause=Cause.DATA)

    _amid(lambda: edit_group(LOCAL, "rich", revision=1, definition=_points(1)), refresh, place)
    assert _inside("rich") == _inside("friends") == ["ann", "bob", "carl", "dora"]


@pytest.mark.parametrize("place", PLACES)
def test_refresh_does_not_undo_an_edit_in_between(warehouse: DuckDBWarehouse, place: int) -> None:
    _bring(warehouse, dora=3)
    _amid(
        lambda: refresh_groups(cause=Cause.DATA),
        lambda: edit_group(LOCAL, "rich", revision=1, definition=_points(3)),
        place,
    )
    assert _inside("rich") == _inside("friends") == ["carl", "dora"]


def test_refresh_does_not_undo_an_edit_while_it_evaluates(warehouse: DuckDBWarehouse) -> None:
    _bring(warehouse, dora=3)
    edits = iter([lambda: edit_group(LOCAL, "rich", revision=1, definition=_points(3))])
    refresh_groups(lambda _done, _of: next(edits, lambda: None)(), Cause.DATA)
    assert _inside("rich") == _inside("friends") == ["carl", "dora"]


@pytest.mark.parametrize("place", PLACES)
def test_group_that_begins_to_refer_in_between_follows(warehouse: DuckDBWarehouse, place: int) -> None:
    _amid(
        lambda: edit_group(LOCAL, "rich", revision=1, definition=_points(3)),
        lambda: create_segment(LOCAL, name="Late", key="late", definition=_in_group("rich")),
        place,
    )
    assert _inside("rich") == _inside("friends") == _inside("late") == ["carl"]


@pytest.mark.parametrize("place", PLACES)
def test_list_and_the_segment_that_begins_to_refer_to_it_agree(warehouse: DuckDBWarehouse, place: int) -> None:
    create_known(LOCAL, name="Known", key="known")
    row = Group.objects.get(key="known")
    entries = {"kind": [int(EntryKind.EXTERNAL)], "entry": ["external:bob"], "identity": ["bob"]}
    made = write_list(row, pa.table(entries, schema=SCHEMA).to_batches(), "imp_1")
    _amid(
        lambda: put_in_force(row, made),
        lambda: create_segment(LOCAL, name="Late", key="late", definition=_in_group("known")),
        place,
    )
    assert _inside("known") == _inside("late") == ["bob"]


def test_whoever_is_overtaken_without_end_is_told(warehouse: DuckDBWarehouse) -> None:
    numbers = iter(range(1_000))

    def rename() -> None:
        edit_group(LOCAL, "rich", revision=None, name=f"Rich {next(numbers)}")

    with clock_of(Interrupted(rename, always=True)), pytest.raises(Overtaken):
        create_segment(LOCAL, name="Late", key="late", definition=_in_group("rich"))
    assert not Group.objects.filter(key="late").exists()
