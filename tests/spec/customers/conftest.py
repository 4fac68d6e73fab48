"""Facts by hand: each test tells a history and what must be known, of the plain derivation and of every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from muster.engine.reference.derive import derive_people
from muster.warehouse.batch import Rate
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item
from muster.warehouse.port import Person
from tests.spec.customers.told import CATALOG, RECEIVED

Know = Callable[..., dict[str, Person]]


@pytest.fixture(scope="session")
def duckdb_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(Path(tmp_path_factory.mktemp("warehouse"))) as opened:
        opened.use_catalog(CATALOG)
        yield opened


@pytest.fixture(params=["reference", "duckdb"])
def know(request: pytest.FixtureRequest) -> Know:
    """`know(items, rates=..., catalog=...)`: everybody by bucketing subject."""

    def by_reference(items: Sequence[Item], rates: Sequence[Rate] = (), catalog: Catalog = CATALOG):
        return {person.profile["subject"]: person for person in derive_people(items, catalog, rates)}

    def by_duckdb(items: Sequence[Item], rates: Sequence[Rate] = (), catalog: Catalog = CATALOG):
        warehouse = request.getfixturevalue("duckdb_warehouse")
        warehouse.clear()
        warehouse.append(batch_of(items, RECEIVED), catalog)
        if rates:
            warehouse.put_rates(rates, catalog)
        people = warehouse.people(range(1, warehouse.highest_key() + 1))
        return {person.profile["subject"]: person for person in people.values()}

    return by_reference if request.param == "reference" else by_duckdb
