"""Three people and three groups that are followed: what the tests of following begin with and look at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pyroaring import BitMap

from muster.catalog.actions import create_app, declare_attribute, edit_publisher
from muster.catalog.queries import warehouse_catalog
from muster.customers.queries import customer_key
from muster.engine.changes import Change
from muster.groups.actions.following import Sizes
from muster.groups.actions.segments import create_segment
from muster.groups.hooks import memberships_changed
from muster.groups.models import Group, MembershipChange
from muster.groups.queries.evaluation import stored_members
from muster.kernel.clock import clock_of
from muster.rules.standard_events import STANDARD_EVENTS
from muster.team.policies import LOCAL
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item, Occurrence
from tests.integration.personas import open_store

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ALL_SIZES = [Sizes(few=100), Sizes(few=0, share=10), Sizes(few=0, share=0)]
SIZE_NAMES = ["few", "many", "everybody"]


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Iterator[Time]:
    clock = Time()
    with clock_of(clock):
        yield clock


@pytest.fixture
def warehouse(db: None, tmp_path: Path, time: Time) -> Iterator[DuckDBWarehouse]:
    """ann has one point, bob two, carl three. `rich` have two, `poor` are the others, `friends` are who is rich."""
    with open_store(tmp_path) as opened:
        create_app(LOCAL, key="notes")
        declare_attribute(LOCAL, key="points", type="number")
        edit_publisher(LOCAL, revision=None, minimum_size=0)
        bring(opened, ann=1, bob=2, carl=3)
        segment("rich", {"attribute": "points", "op": "gte", "value": 2})
        segment("poor", {"none": [{"attribute": "points", "op": "gte", "value": 2}]})
        segment("friends", {"group": "rich"})
        yield opened


def segment(key: str, match: dict[str, Any]) -> None:
    create_segment(LOCAL, name=key.title(), key=key, definition={"version": 1, "match": match})


_numbers = iter(range(1, 1_000_000))


def item(who: str, at: datetime, **said: Any) -> Item:
    opened = Occurrence(STANDARD_EVENTS["app_opened"].number, {})
    return Item(
        hash=hashlib.md5(f"{who}{next(_numbers)}".encode()).digest(),
        happened_at=at,
        app=1,
        **{"external_id": who, "event": opened, **said},
    )


def later() -> datetime:
    """Than whatever was said before: what is said last counts."""
    return NOW - timedelta(seconds=1) + timedelta(microseconds=next(_numbers))


def bring(warehouse: DuckDBWarehouse, **points: int) -> BitMap:
    at = later()
    items = [item(who, at, traits={"points": many}) for who, many in points.items()]
    return warehouse.append(batch_of(items, NOW), warehouse_catalog()).touched


def key_of(who: str) -> int:
    key = customer_key(f"external:{who}")
    assert key is not None
    return key


def inside(key: str) -> list[str]:
    found = stored_members(Group.objects.get(key=key))
    keys = {who: customer_key(f"external:{who}") for who in ("ann", "bob", "carl", "dora")}
    return [who for who, key in keys.items() if key is not None and key in found]


def told(key: str) -> list[tuple[str, int, int]]:
    rows = MembershipChange.objects.filter(group__key=key)
    return list(rows.values_list("cause", "joined_count", "left_count"))


@contextmanager
def listening() -> Iterator[list[dict[str, Change]]]:
    heard: list[dict[str, Change]] = []

    def hear(changes: Mapping[str, Change]) -> None:
        assert not connection.in_atomic_block
        heard.append({Group.objects.get(id=group).key: change for group, change in changes.items()})

    memberships_changed.append(hear)
    try:
        yield heard
    finally:
        memberships_changed.remove(hear)


def stored(key: str) -> BitMap:
    return stored_members(Group.objects.get(key=key))
