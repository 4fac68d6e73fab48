"""AdventureWorks and CDNOW, imported once a session."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from muster.groups.sample.files import CUSTOMERS, ORDERS
from muster.rules.vocabulary import Type
from muster.warehouse.catalog import App, Catalog, CustomAttribute
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.data.importing import import_file

SAMPLE = Path(__file__).parents[3] / "src" / "muster" / "groups" / "sample" / "data"
IMPORTED_AT = datetime(2017, 7, 1, tzinfo=UTC)
_CUSTOM = {
    "annual_income": Type.NUMBER,
    "total_children": Type.NUMBER,
    "home_owner": Type.BOOLEAN,
    "occupation": Type.TEXT,
    "education": Type.TEXT,
    "marital_status": Type.TEXT,
}
CATALOG = Catalog(
    apps={"adventure-shop": App("adventure-shop", 1), "adventure-rides": App("adventure-rides", 2)},
    currency="USD",
    attributes={key: CustomAttribute(key, number, kind) for number, (key, kind) in enumerate(_CUSTOM.items(), start=1)},
)


def unpacked(name: str) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO((SAMPLE / f"{name}.csv.zst").read_bytes())).read()


@pytest.fixture(scope="session")
def adventure_works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    """Everybody and every order with their real dates (2015 to June 2017)."""
    folder = tmp_path_factory.mktemp("adventure-works")
    with DuckDBWarehouse(folder / "warehouse", Resources(threads=2)) as warehouse:
        warehouse.use_catalog(CATALOG)
        for number, (name, document) in enumerate(
            (
                ("customers", CUSTOMERS),
                ("orders-adventure-shop", {**ORDERS, "app": "adventure-shop"}),
                ("orders-adventure-rides", {**ORDERS, "app": "adventure-rides"}),
            ),
            start=1,
        ):
            path = folder / f"{name}.csv"
            path.write_bytes(unpacked(name))
            counts = import_file(path, document, warehouse, CATALOG, folder / name, IMPORTED_AT, source=number)
            assert set(counts) == {"new"}
        yield warehouse
