"""G-15, G-23: lists are followed as segments are; pending addresses join by themselves."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from muster.catalog.queries import warehouse_catalog
from muster.groups.actions import lists
from muster.groups.actions.following import Follower, Sizes
from muster.groups.actions.lists import create_known, put_in_force, write_list
from muster.groups.models import Group
from muster.team.policies import LOCAL
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import Trust
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Email
from muster.warehouse.lists.entries import named
from muster.warehouse.lists.files import SCHEMA
from tests.integration.groups.followed import ALL_SIZES, NOW, SIZE_NAMES, bring, inside, item, segment, time, warehouse

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["time", "warehouse"]


@pytest.mark.parametrize("sizes", ALL_SIZES, ids=SIZE_NAMES)
def test_pending_address_joins_by_itself(warehouse: DuckDBWarehouse, sizes: Sizes) -> None:
    """G-23: and a segment that refers to the list with it."""
    _list("dora@example.com", "external:carl", "cus_1", "nobody@example.com")
    segment("testers", {"group": "known"})
    follower = Follower(sizes)
    assert (inside("known"), Group.objects.get(key="known").pending_count) == (["ann", "carl"], 2)
    unverified = [item("dora", NOW, emails=(Email("Dora@Example.com"),), trust=Trust.OPEN)]
    follower.follow(warehouse.append(batch_of(unverified, NOW), warehouse_catalog()).touched)
    assert inside("known") == ["ann", "carl"]
    verified = [item("dora", NOW, emails=(Email("Dora@Example.com", verified=True),))]
    follower.follow(warehouse.append(batch_of(verified, NOW), warehouse_catalog()).touched)
    assert inside("known") == inside("testers") == ["ann", "carl", "dora"]
    assert Group.objects.get(key="known").pending_count == 1


def _list(*entries: str) -> None:
    create_known(LOCAL, name="Known", key="known")
    row = Group.objects.get(key="known")
    known = [named(entry) for entry in entries]
    columns = {"kind": [one.kind for one in known], "entry": entries, "identity": [one.identity for one in known]}
    put_in_force(row, write_list(row, pa.table(columns, schema=SCHEMA).to_batches(), "imp_1"))


def test_list_that_is_edited_is_read_again(warehouse: DuckDBWarehouse) -> None:
    _list("dora@example.com")
    follower = Follower()
    follower.follow(bring(warehouse, ann=1))
    row = Group.objects.get(key="known")
    put_in_force(row, write_list(row, pa.table(_columns("external:dora"), schema=SCHEMA).to_batches(), "imp_2"))
    follower.follow(bring(warehouse, dora=1))
    assert inside("known") == ["dora"]


def test_who_arrives_while_a_list_is_matched_is_on_it_soon_after(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G-15, G-23: the match found nobody, and the follower knew the list of before."""
    _list("external:ann")
    follower = Follower()
    follower.follow(bring(warehouse, ann=1))
    match = lists.match

    def matches(*told: Any) -> lists.Matched:
        found = match(*told)
        monkeypatch.setattr(lists, "match", match)
        follower.follow(bring(warehouse, dora=1))
        return found

    monkeypatch.setattr(lists, "match", matches)
    row = Group.objects.get(key="known")
    put_in_force(row, write_list(row, pa.table(_columns("external:dora"), schema=SCHEMA).to_batches(), "imp_2"))
    follower.advance()
    assert inside("known") == ["dora"]


def _columns(entry: str) -> dict[str, list[Any]]:
    known = named(entry)
    return {"kind": [known.kind], "entry": [entry], "identity": [known.identity]}
