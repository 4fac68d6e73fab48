"""ADR 27: what comes alone is in at once; whoever asks for facts has them, whenever they were derived."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pyroaring import BitMap

from muster.engine.reference.said import people_said
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.few.append import MOST_ITEMS
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Device
from tests.spec.customers.told import CATALOG, GAME, NOTES, RECEIVED, at, event, item, order

MICROS = 1_000_000


@pytest.fixture
def opened(tmp_path: Path):
    with DuckDBWarehouse(tmp_path) as warehouse:
        warehouse.use_catalog(CATALOG)
        yield warehouse


def _append(warehouse, *items):
    return warehouse.append_items(items, RECEIVED, CATALOG, {"spool:1": {"file": "f", "seq": 1}})


def _spend(warehouse):
    rows = warehouse.relation("profiles").select("customer_key", "store_spend_micros")
    with warehouse.reader() as reader:
        return dict(zip(*(column.to_pylist() for column in reader.table(rows).columns), strict=True))


def test_a_reader_sees_the_facts_of_what_came_alone(opened):
    outcome = _append(opened, order("completed", "o1", 10 * MICROS))
    assert (outcome.touched, opened.is_late) == (BitMap([1]), True)
    assert _spend(opened) == {1: 10 * MICROS}
    assert not opened.is_late


def test_a_person_is_told_before_the_facts_are_derived(opened):
    _append(opened, order("completed", "o1", 10 * MICROS))
    told = people_said(opened.said_of([1]), CATALOG)[1]
    assert (told.profile["store_spend_micros"], opened.is_late) == (10 * MICROS, True)
    assert opened.person(1).profile == told.profile


def test_of_whom_too_much_was_said_is_not_told_from_it(opened):
    """Reading all of it for each further event would hold up everybody else: then the store derives it."""
    _append(opened, *(event("app_opened", at(seconds=n), user="busy") for n in range(2_001)))
    _append(opened, event("app_opened", at(days=1), user="other"))
    assert opened.said_of([1]) is None
    assert list(people_said(opened.said_of([2]), CATALOG)) == [2]


def test_nobody_spends_more_than_can_be_added(tmp_path):
    """ADR 36: whoever says so, everybody else is still asked about, before a restart and after it."""
    with DuckDBWarehouse(tmp_path) as before:
        before.use_catalog(CATALOG)
        _append(before, order("completed", "o1", 2**63 - 1), order("completed", "o2", 2**63 - 1))
        _append(before, order("completed", "o3", 5 * MICROS, user="bystander"))
        assert _spend(before) == {1: 2**63 - 1, 2: 5 * MICROS}
        assert people_said(before.said_of([1]), CATALOG)[1].profile["store_spend_micros"] == 2**63 - 1
        _append(before, order("refunded", "o1", -(2**63)), order("refunded", "o2", None))
    with DuckDBWarehouse(tmp_path) as after:
        after.use_catalog(CATALOG)
        assert _spend(after) == {1: 0, 2: 5 * MICROS}


def test_nobody_has_used_an_app_for_longer_than_can_be_added(opened):
    """ADR 36: sessions are told by anybody; each lasts a year at most, and there may be many."""
    props = {"engaged_seconds": 1e9}
    _append(opened, *(event("session", at(1), app=GAME, props={**props, "session_id": n}) for n in range(4_100)))
    rows = opened.relation("app_facts").select("engagement_minutes")
    with opened.reader() as reader:
        assert reader.table(rows).column(0).to_pylist() == [2**31 - 1]


def test_what_is_late_is_late_after_a_restart(tmp_path):
    with DuckDBWarehouse(tmp_path) as before:
        _append(before, order("completed", "o1", 10 * MICROS))
    with DuckDBWarehouse(tmp_path) as after:
        assert after.is_late
        after.use_catalog(CATALOG)
        assert _spend(after) == {1: 10 * MICROS}


def test_nothing_is_derived_while_the_catalog_is_not_known(tmp_path):
    with DuckDBWarehouse(tmp_path) as before:
        _append(before, order("completed", "o1", 10 * MICROS))
    with DuckDBWarehouse(tmp_path) as after:
        after.settle()
        assert (after.is_late, _spend(after)) == (True, {})


def test_whoever_lost_a_device_is_told_of_when_it_is_settled(opened):
    _append(opened, event("app_opened", user="u1", app=NOTES, device=Device("d1")))
    opened.settle()
    opened.take_settled()
    later = at() + timedelta(hours=1)
    outcome = _append(opened, event("app_opened", later, user="u2", app=NOTES, device=Device("d1")))
    opened.settle()
    assert (outcome.touched, opened.take_settled(), opened.take_settled()) == (BitMap([2]), BitMap([1, 2]), BitMap())


def test_many_are_derived_with_the_append(opened):
    outcome = _append(opened, *(item(user=f"u{number}") for number in range(MOST_ITEMS + 1)))
    assert (len(outcome.touched), opened.is_late) == (MOST_ITEMS + 1, False)


def test_who_is_merged_is_derived_with_the_append(opened):
    _append(opened, event("app_opened", user=None, anonymous_id="a1", app=NOTES))
    _append(opened, event("app_opened", user="u1", app=NOTES))
    outcome = _append(opened, item(user="u1", anonymous_id="a1", app=NOTES))
    assert ([merge.survivor for merge in outcome.merges], list(opened.people([1, 2]))) == ([2], [2])
    assert sorted(outcome.identities) == [("anonymous", NOTES, "a1", 2), ("external", 0, "u1", 2)]


def test_a_catalog_that_changes_finds_nothing_late(opened):
    _append(opened, order("completed", "o1", 10 * MICROS))
    opened.use_catalog(Catalog(apps=CATALOG.apps))
    assert not opened.is_late


def test_of_whom_something_is_carried_on_not_all_was_said(opened):
    _append(opened, order("completed", "o1", 10 * MICROS))
    opened.submit(lambda c: c.execute("INSERT INTO usage_carry VALUES (1, 1, NULL, NULL, 1, 60)")).result()
    assert opened.said_of([1]) is None


def test_who_is_asked_for_after_every_append_is_read_meanwhile(opened, monkeypatch):
    """ADR 34: a customer and device that are known, and then an order that is new."""
    _append(
        opened,
        event("app_opened", user="u1", app=NOTES, device=Device("d1")),
        item(user="u1", traits={"country": "DE"}),
    )
    assert opened.said_of([1]) is not None
    touched = _append(opened, order("completed", "o1", 10 * MICROS)).touched
    monkeypatch.setattr("muster.warehouse.duckdb.warehouse.read_said", _not_now)
    told = people_said(opened.said_of(touched), CATALOG)[1]
    monkeypatch.undo()
    assert (told.profile["store_spend_micros"], told.profile["country"]) == (10 * MICROS, "DE")
    assert people_said(opened.said_of(touched), CATALOG)[1] == told


def test_what_was_read_ahead_is_forgotten_once_anything_is_written(opened):
    _append(opened, item(user="u1"))
    opened.said_of([1])
    _append(opened, item(user="u1", traits={"country": "DE"}))
    opened.submit(lambda c: c.execute("UPDATE traits SET value = '\"FR\"'")).result()
    assert people_said(opened.said_of([1]), CATALOG)[1].profile["country"] == "FR"


def _not_now(*_):
    raise AssertionError("it was to be known already")
