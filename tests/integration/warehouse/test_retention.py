"""What is too old goes, and facts stay as they are (C-33, C-48)."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

from pyroaring import BitMap

from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item
from tests.spec.customers.told import CATALOG, at, event, item, order

CUT = at(days=10)


def _append(warehouse: DuckDBWarehouse, *items: Item, days: float = 0) -> None:
    warehouse.append(batch_of(items, at(days=days)), CATALOG)


def _old() -> list[Item]:
    return [
        event("app_acquired", at(-2), props={"acquisition_type": "paid"}),
        event("listing_viewed", at(-3), props={"url": "https://store.example/notes?cid=spring"}),
        event("listing_viewed", at(-200), props={"url": "https://store.example/notes?cid=winter"}),
        event("app_opened", at(0)),
        event("screen_viewed", at(0, minutes=4)),
        event("level_up", at(5)),
        event("app_rated", at(6), props={"rating": 4}),
        order("completed", "o1", 5_000_000, at(7)),
    ]


def test_facts_are_the_same_after_events_have_gone(warehouse: DuckDBWarehouse) -> None:
    _append(warehouse, *_old())
    _append(warehouse, event("app_opened", at(days=20)), days=20)
    before = warehouse.person(1)
    assert (before.app_facts["notes"]["session_count"], before.app_facts["notes"]["campaign_id"]) == (3, "spring")
    assert warehouse.drop_old_events(CUT) == {"all_events": 5, "touches": 1}
    assert warehouse.drop_old_events(CUT) == {"all_events": 0, "touches": 0}
    warehouse.rederive(BitMap([1]), CATALOG)
    after = warehouse.person(1)
    assert (after.profile, after.app_facts, after.orders) == (before.profile, before.app_facts, before.orders)
    assert [one.event for one in after.events] == [
        "app_acquired",
        "app_rated",
        "order_completed",
        "app_opened",
        "session",
    ]
    assert [one["started_at"] for one in after.sessions] == [at(days=20)]


def test_late_event_keeps_its_session_whole(warehouse: DuckDBWarehouse) -> None:
    """It came after the border: what it is part of stays until all of it is old."""
    _append(warehouse, event("app_opened", at(0)))
    _append(warehouse, event("screen_viewed", at(0, minutes=4)), days=20)
    before = warehouse.person(1)
    assert warehouse.drop_old_events(CUT) == {"all_events": 0, "touches": 0}
    warehouse.rederive(BitMap([1]), CATALOG)
    assert warehouse.person(1) == before


def test_carry_follows_a_merge(warehouse: DuckDBWarehouse) -> None:
    _append(warehouse, event("app_opened", at(0), user=None, anonymous_id="a1"), item(user="u1"))
    warehouse.drop_old_events(CUT)
    _append(warehouse, event("app_opened", at(days=20), user="u1", anonymous_id="a1"), days=20)
    facts = warehouse.person(2).app_facts["notes"]
    assert (facts["session_count"], facts["first_used_at"]) == (2, at(0))


def test_old_rejects_go(warehouse: DuckDBWarehouse) -> None:
    _append(warehouse, dataclasses.replace(item(user="null"), body="{}"))
    assert (warehouse.drop_old_rejects(at(days=-1)), warehouse.drop_old_rejects(at(days=1))) == (0, 1)


def test_unseen_visitors_are_those_nobody_knows(warehouse: DuckDBWarehouse) -> None:
    _append(warehouse, item(user="u1"), event("app_opened", user=None, anonymous_id="a1"))
    _append(warehouse, event("app_opened", at(days=20), user=None, anonymous_id="a2"), days=20)
    assert (warehouse.unseen_visitors(CUT, 9), warehouse.unseen_visitors(CUT + timedelta(days=99), 1)) == (
        BitMap([2]),
        BitMap([2]),
    )


def test_minors_are_those_known_to_be_younger_on_the_day(warehouse: DuckDBWarehouse) -> None:
    """C-15: who reaches the age today has it, and of whom no birthday is known nobody says they are too young."""
    born = {"u1": "2009-06-15", "u2": "2009-06-16", "u3": "2012-01-01"}
    _append(warehouse, *(item(user=user, traits={"birthday": day}) for user, day in born.items()), item(user="u4"))
    today = date(2026, 6, 15)
    assert warehouse.customers_under(17, today, 9) == BitMap([2, 3])
    assert warehouse.customers_under(17, today, 1) == BitMap([2])
    assert warehouse.customers_under(0, today, 9) == BitMap()
