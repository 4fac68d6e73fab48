"""C-20: whatever the order, repetition and batches, the warehouse knows what the plain derivation knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.engine.reference.derive import derive_people
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.generative.histories import CATALOG, RECEIVED, histories, rates, rearranged
from tests.generative.people import comparable

CASES = int(os.environ.get("MUSTER_CASES", "100"))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(Path(tmp_path_factory.mktemp("warehouse"))) as opened:
        opened.use_catalog(CATALOG)
        yield opened


def _everybody(warehouse):
    with warehouse.reader() as reader:
        keys = reader.table(warehouse.relation("profiles").select("customer_key")).column(0).to_pylist()
    return comparable(warehouse.people(keys).values())


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), items=histories, rates=rates)
def test_warehouse_equals_the_plain_derivation(warehouse, data, items, rates):
    expected = comparable(derive_people(items, CATALOG, rates))
    batches = data.draw(rearranged(items))
    rates_after = data.draw(st.integers(0, len(batches)))

    warehouse.clear()
    for number, batch in enumerate(batches):
        if number == rates_after:
            warehouse.put_rates(rates, CATALOG)
        warehouse.append(batch_of(batch, RECEIVED), CATALOG)
    if rates_after == len(batches):
        warehouse.put_rates(rates, CATALOG)
    assert _everybody(warehouse) == expected

    warehouse.rederive(None, CATALOG)
    assert _everybody(warehouse) == expected
