"""G-16, G-17: small changes are folded into files, and whoever dies at it leaves the old members or the new."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from pyroaring import BitMap

from muster.catalog.queries import warehouse_catalog
from muster.groups.actions.following import Follower
from muster.groups.actions.membership import sweep_memberships
from muster.groups.models import Group, MembershipChange, MembershipDelta
from muster.groups.queries.evaluation import membership_files
from muster.groups.queries.recall import members_after
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.groups.followed import NOW, bring, inside, item, later, stored, time, warehouse

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["time", "warehouse"]


def _crowd(warehouse: DuckDBWarehouse, number: int, points: int) -> BitMap:
    """Enough people that a small change is small no more: every second key, in no order a run could tell."""
    at = later()
    items = [item(f"p{n}", at, traits={"points": points}) for n in range(number)]
    return warehouse.append(batch_of(items, NOW), warehouse_catalog()).touched


def test_many_small_changes_are_folded_into_the_next_file(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muster.groups.actions.generations._LEAST_DELTA_BYTES", 10)
    follower = Follower()
    follower.advance()
    for points in (3, 1, 3, 1, 5):
        follower.follow(_crowd(warehouse, 60, points))
    generations = dict(membership_files().generations())
    row = Group.objects.get(key="rich")
    assert (row.generation > 1, row.size, generations[row.id]) == (True, 62, row.generation)
    assert (len(stored("rich")), len(stored("poor"))) == (62, 1)
    assert sweep_memberships() > 0
    assert (len(stored("rich")), len(stored("poor"))) == (62, 1)
    kept = MembershipDelta.objects.filter(group=row).values_list("generation", flat=True)
    assert all(generation >= row.generation - 1 for generation in kept)


class Died(BaseException):
    """As if the process were no more."""


class Places:
    """Dies before the n-th thing that changes anything: a statement to the database, a file that is written."""

    def __init__(self, last: int) -> None:
        self._last = last
        self.passed = 0

    def note(self) -> None:
        self.passed += 1
        if self.passed == self._last:
            raise Died

    def ask(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SELECT", "PRAGMA")):
            self.note()
        answer = execute(sql, params, many, context)
        return answer


_places: list[Places] = []
_FILES = {"open", "os.rename", "os.remove"}


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _places and event in _FILES and str(settings.MUSTER.membership_directory) in str(arguments[0]):
        _places[-1].note()


sys.addaudithook(_hook)


@contextmanager
def _dying(last: int) -> Iterator[Places]:
    places = Places(last)
    _places.append(places)
    try:
        with connection.execute_wrapper(places.ask):
            yield places
    except Died:
        pass
    finally:
        _places.pop()


@pytest.mark.parametrize("least_bytes", [8_192, 0], ids=["beside the file", "as the next file"])
def test_death_at_any_place_of_storing_leaves_the_old_members_or_the_new(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, least_bytes: int
) -> None:
    """G-16: of all groups together; complements are never both or neither, and the memory is the difference."""
    monkeypatch.setattr("muster.groups.actions.generations._LEAST_DELTA_BYTES", least_bytes)
    place, points = 0, 1
    while True:
        place += 1
        points = 3 - points
        touched = bring(warehouse, ann=points, dora=3 - points)
        before = _state()
        dying = Follower()
        with _dying(place) as places:
            dying.follow(touched)
        died = places.passed == place
        assert not connection.in_atomic_block
        after = _state()
        assert after["rich"] == after["friends"]
        assert not after["rich"] & after["poor"]
        for key, found in after.items():
            remembered = MembershipChange.objects.filter(group__key=key).latest("id")
            assert (members_after(remembered), remembered.size) == (found, len(found))
            assert Group.objects.get(key=key).size == len(found)
        sweep_memberships()
        assert _state() == after
        expected = {"bob", "carl", "ann" if points == 2 else "dora"}
        if after != before:
            assert set(inside("rich")) == expected
        # The next process takes up what this one had not stored.
        Follower().follow(touched)
        assert set(inside("rich")) == set(inside("friends")) == expected
        if not died:
            break
    assert place > (9 if least_bytes else 15)


def _state() -> dict[str, BitMap]:
    with transaction.atomic():
        return {key: stored(key) for key in ("rich", "poor", "friends")}
