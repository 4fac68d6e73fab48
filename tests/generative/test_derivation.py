"""C-20: whatever the order, repetition and batches, the warehouse knows what the plain derivation knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.engine.reference.derive import derive_people
from muster.engine.reference.said import people_said
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import Trust
from muster.warehouse.duckdb.compacting import compact_step
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Email, Item
from tests.generative.histories import CATALOG, RECEIVED, START, histories, rates, rearranged
from tests.generative.people import comparable, in_one_order

CASES = int(os.environ.get("MUSTER_CASES", "60"))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(Path(tmp_path_factory.mktemp("warehouse")), Resources(threads=1)) as opened:
        opened.use_catalog(CATALOG)
        yield opened


def _people(warehouse):
    with warehouse.reader() as reader:
        keys = reader.table(warehouse.relation("profiles").select("customer_key")).column(0).to_pylist()
    return warehouse.people(keys).values()


def _everybody(warehouse):
    return comparable(_people(warehouse))


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
        if data.draw(st.booleans()):
            warehouse.append_items(batch, RECEIVED, CATALOG, {})
        else:
            warehouse.append(batch_of(batch, RECEIVED), CATALOG)
    if rates_after == len(batches):
        warehouse.put_rates(rates, CATALOG)
    assert _everybody(warehouse) == expected

    while warehouse.submit(compact_step).result() is not None:
        pass
    assert _everybody(warehouse) == expected

    warehouse.rederive(None, CATALOG)
    assert _everybody(warehouse) == expected


@settings(max_examples=max(CASES // 3, 1), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), items=histories, rates=rates)
def test_people_told_from_what_was_said_equal_the_plain_derivation(warehouse, data, items, rates):
    """E-22: nobody waits until facts are derived; what is told without them is the same."""
    warehouse.clear()
    warehouse.put_rates(rates, CATALOG)
    for batch in data.draw(rearranged(items)):
        warehouse.append_items(batch, RECEIVED, CATALOG, {})
    keys = warehouse.submit(lambda c: c.execute("SELECT DISTINCT customer_key FROM identities").fetchall()).result()
    said = warehouse.said_of(key for (key,) in keys)
    assert said is not None
    found = people_said(said, CATALOG)
    facts = warehouse.people(found)
    assert {key: in_one_order(person) for key, person in found.items()} == {
        key: in_one_order(person) for key, person in facts.items()
    }
    for key, person in found.items():
        alone = people_said(warehouse.said_of([key]), CATALOG)[key]
        assert in_one_order(alone) == in_one_order(person)


def test_of_one_address_spelled_twice_in_one_item_the_largest_text_is_shown(warehouse):
    """Found by the test above, which took minutes to say it: neither instant nor hash tells the two apart."""
    item = Item(
        hash=bytes(16),
        happened_at=START,
        app=1,
        external_id="u3",
        anonymous_id=None,
        previous_id=None,
        trust=Trust.SERVER,
        source=0,
        traits={"email": "Ann@Example.com"},
        event=None,
        order=None,
        emails=(Email("ANN@example.com", False),),
        consents=(),
        device=None,
    )
    for spelled in (
        item,
        replace(item, traits={"email": "ANN@example.com"}, emails=(Email("Ann@Example.com", False),)),
    ):
        warehouse.clear()
        warehouse.append(batch_of([spelled], RECEIVED), CATALOG)
        assert _everybody(warehouse) == comparable(derive_people([spelled], CATALOG, []))
        (person,) = _people(warehouse)
        assert person.emails[0]["address"] == "Ann@Example.com"
