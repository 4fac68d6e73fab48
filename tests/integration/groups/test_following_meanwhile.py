"""G-15, G-16: edits and refreshes store while somebody is followed, and the other way round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from pyroaring import BitMap

from muster.engine.changes import Change
from muster.groups.actions.following import Follower
from muster.groups.actions.membership import refresh_groups
from muster.groups.actions.segments import edit_group
from muster.kernel.clock import clock_of
from muster.team.policies import LOCAL
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.groups.followed import bring, inside, key_of, listening, time, warehouse
from tests.integration.groups.test_overtaken import PLACES, Interrupted

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["time", "warehouse"]


@pytest.mark.parametrize("place", PLACES)
def test_edit_sees_who_was_followed_in_between(warehouse: DuckDBWarehouse, place: int) -> None:
    follower = Follower()
    _amid(
        lambda: edit_group(LOCAL, "rich", revision=1, definition=_points(1)),
        lambda: follower.follow(bring(warehouse, dora=1)),
        place,
    )
    follower.advance()
    assert inside("rich") == inside("friends") == ["ann", "bob", "carl", "dora"]


@pytest.mark.parametrize("place", PLACES)
def test_refresh_leaves_who_was_followed_in_between(warehouse: DuckDBWarehouse, place: int) -> None:
    """Nobody who joined is told to have left because a refresh began before."""
    follower = Follower()
    with listening() as heard:
        _amid(refresh_groups, lambda: follower.follow(bring(warehouse, dora=3)), place)
        follower.advance()
    assert inside("rich") == inside("friends") == ["bob", "carl", "dora"]
    assert heard == [dict.fromkeys(("rich", "friends"), Change(BitMap([key_of("dora")]), BitMap()))]


@pytest.mark.parametrize("place", range(1, 12))
def test_follower_sees_what_was_edited_in_between(warehouse: DuckDBWarehouse, place: int) -> None:
    follower = Follower()
    touched = bring(warehouse, dora=1)
    _amid_queries(
        lambda: follower.follow(touched),
        lambda: edit_group(LOCAL, "rich", revision=1, definition=_points(1)),
        place,
    )
    follower.advance()
    assert inside("rich") == inside("friends") == ["ann", "bob", "carl", "dora"]


def _points(least: int) -> dict[str, Any]:
    return {"version": 1, "match": {"attribute": "points", "op": "gte", "value": least}}


def _amid(deed: Callable[[], object], other: Callable[[], object], place: int) -> None:
    clock = Interrupted(other, place)
    with clock_of(clock):
        deed()
    if not clock.happened:
        other()


def _amid_queries(deed: Callable[[], object], other: Callable[[], object], place: int) -> None:
    """`other` before the n-th question to the control database that is asked outside of a transaction."""
    asked = 0
    busy = False

    def ask(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal asked, busy
        if not busy and not connection.in_atomic_block:
            asked += 1
            if asked == place:
                busy = True
                other()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(ask):
        deed()
    if asked < place:
        other()
