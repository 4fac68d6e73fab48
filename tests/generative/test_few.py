"""C-32: a few items are taken one by one as many are taken together: the same rows, verdicts, remarks and keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.engine.reference.said import people_said
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.few.append import append_few
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.generative.histories import CATALOG, RECEIVED, histories
from tests.generative.people import in_one_order

CASES = int(os.environ.get("MUSTER_CASES", "30"))
RAW = (
    "identities", "event_ids", "rejects", "sightings", "traits", "emails", "consents", "order_entries", "order_lines",
    "all_events", "touches", "device_ids", "device_sightings", "cursors", "meta", "merges",
)  # fmt: skip  # a table, read by rows


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DuckDBWarehouse, DuckDBWarehouse]]:
    one, other = (Path(tmp_path_factory.mktemp(name)) for name in ("few", "many"))
    with DuckDBWarehouse(one, Resources(threads=1)) as few, DuckDBWarehouse(other, Resources(threads=1)) as many:
        few.use_catalog(CATALOG)
        many.use_catalog(CATALOG)
        yield few, many


def _raw(warehouse):
    def read(connection):
        found = {}
        for table in RAW:
            text = "SELECT * REPLACE (CAST(props AS JSON) AS props) FROM" if table == "all_events" else "SELECT * FROM"
            # How much there is to put in order is counted as facts are derived.
            unlike = " WHERE key <> 'unsorted'" if table == "meta" else ""
            found[table] = sorted(map(str, connection.execute(f"{text} {table}{unlike}").fetchall()))
        return found

    return warehouse.submit(read).result()


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(items=histories, cut=st.integers(0, 14))
def test_few_items_leave_the_rows_that_many_leave(two, items, cut):
    few, many = two
    few.clear()
    many.clear()
    for number, part in enumerate((items[:cut], items[cut:], items[:1])):
        if not part:
            continue
        cursors = {"spool:1": {"file": "f", "seq": number}}
        found = few.append_items(part, RECEIVED, CATALOG, cursors)
        wanted = many.append(batch_of(part, RECEIVED), CATALOG, cursors)
        assert (found.counts, found.warnings, found.notes) == (wanted.counts, wanted.warnings, wanted.notes)
        assert (found.merges, found.new_customers) == (wanted.merges, wanted.new_customers)
        assert sorted(found.identities) == sorted(wanted.identities)
        assert not found.touched - wanted.touched
    assert _raw(few) == _raw(many)


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(items=histories)
def test_items_that_merge_people_write_nothing_when_they_are_left_to_the_other_way(two, items):
    few, _ = two
    few.clear()
    before = _raw(few)

    def write(connection):
        return append_few(connection, items, RECEIVED, {}, CATALOG, None)

    outcome = few.submit(write).result()
    assert outcome is not None or _raw(few) == before


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(items=histories, cut=st.integers(0, 14))
def test_what_is_read_while_items_are_stored_is_what_is_read_afterwards(two, items, cut):
    """ADR 34: told together with the rows of the items."""
    few, _ = two
    few.clear()
    for part in (items[:cut], items[cut:]):
        # Who asked before is expected to ask again.
        few.said_of([])
        touched = few.append_items(part, RECEIVED, CATALOG, {}).touched if part else []
        ahead, afterwards = few.said_of(touched), few.said_of(touched)
        assert _told(ahead) == _told(afterwards)


def _told(said):
    return {key: in_one_order(person) for key, person in people_said(said, CATALOG).items()}
