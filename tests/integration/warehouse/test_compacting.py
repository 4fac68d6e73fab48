"""ADR 28: rows are put in order a stretch of customers at a time; nobody sees a difference, but for what is faster."""

from __future__ import annotations

import pytest

from muster.kernel.errors import MusterError
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb import compacting
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Device
from tests.spec.customers.told import CATALOG, RECEIVED, at, event

PEOPLE = 1_200


@pytest.fixture
def opened(tmp_path):
    with DuckDBWarehouse(tmp_path) as warehouse:
        warehouse.use_catalog(CATALOG)
        for hour in range(3):
            visits = [
                event("app_opened", at(hour), user=f"u{number * 7 % PEOPLE}", device=Device(f"d{number}", os="iOS"))
                for number in range(PEOPLE)
            ]
            warehouse.append(batch_of(visits, RECEIVED), CATALOG)
        yield warehouse


def _rows(warehouse, table):
    return warehouse.submit(lambda c: c.execute(f"SELECT * FROM {table}").fetchall()).result()


def _keys(warehouse, table):
    return [key for (key,) in _rows(warehouse, f"(SELECT customer_key FROM {table})")]


def test_everybody_is_as_before(opened):
    before = opened.people(range(1, PEOPLE + 1))
    assert opened.compact(lambda: None)
    assert opened.people(range(1, PEOPLE + 1)) == before


def test_tables_are_in_order_and_what_was_seen_is_told_once(opened):
    opened.compact(lambda: None)
    for table in ("profiles", "app_facts", "all_sessions", "all_events", "sightings", "device_sightings"):
        keys = _keys(opened, table)
        assert keys == sorted(keys)
    counts = [len(_rows(opened, table)) for table in ("sightings", "device_sightings", "all_events")]
    assert counts == [PEOPLE, PEOPLE, 3 * PEOPLE]


def test_what_is_in_order_is_left_alone(opened):
    assert opened.compact(lambda: None)
    assert not opened.compact(lambda: None)


def test_a_step_is_a_stretch_and_the_next_time_goes_on(opened, monkeypatch):
    monkeypatch.setattr(compacting, "ROWS_A_STEP", 2_000)
    told: list[tuple[int, int]] = []

    def stop():
        raise MusterError("enough", code="enough")

    with pytest.raises(MusterError):
        opened.compact(stop, lambda *done: told.append(done))
    assert told == [(500, PEOPLE)]
    assert opened.compact(lambda: None, lambda *done: told.append(done))
    assert told == [(500, PEOPLE), (1_000, PEOPLE)]


def test_what_comes_meanwhile_counts_for_the_next_time(opened, monkeypatch):
    monkeypatch.setattr(compacting, "ROWS_A_STEP", 2_000)

    def more():
        visits = [event("app_opened", at(9), user=f"u{number}") for number in range(PEOPLE)]
        opened.append(batch_of(visits, RECEIVED), CATALOG)

    opened.compact(more)
    assert opened.compact(lambda: None)
