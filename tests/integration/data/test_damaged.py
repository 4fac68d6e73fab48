"""The years-shifted sales: somebody replaced every 2017 by 2019, in dates and in identifiers alike."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from muster.warehouse.catalog import App, Catalog
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.data.importing import import_file

FILE = Path(__file__).parents[2] / "data" / "adventureworks" / "Sales_2019.global_2017_to_2019_replace.csv.gz"
CATALOG = Catalog(apps={"adventure-shop": App("adventure-shop", 1)}, currency="USD")
RECEIVED = datetime(2020, 1, 1, tzinfo=UTC)
MAPPING = {
    "kind": "orders",
    "app": "adventure-shop",
    "row": {
        "external_id": "CustomerKey",
        "happened_at": {"column": "OrderDate", "format": "%m/%d/%Y", "zone": "UTC"},
        "currency": {"value": "USD"},
        "amount": {"value": "1"},
        "products": {"group_by": "OrderNumber", "product_id": "ProductKey", "quantity": "OrderQuantity"},
    },
}


def test_damaged_sales_get_honest_verdicts(tmp_path: Path) -> None:
    """C-36: rows = sum of verdicts; orders torn apart by the edit are conflicts, all others are new."""
    rows = list(csv.DictReader(gzip.decompress(FILE.read_bytes()).decode().splitlines()))
    customers: dict[str, set[str]] = {}
    days: dict[str, set[str]] = {}
    for row in rows:
        customers.setdefault(row["OrderNumber"], set()).add(row["CustomerKey"])
        days.setdefault(row["OrderNumber"], set()).add(_day(row["OrderDate"]))
    torn = {order for order in customers if len(customers[order]) > 1 or len(days[order]) > 1}
    expected = Counter("invalid" if row["OrderNumber"] in torn else "new" for row in rows)
    with DuckDBWarehouse(tmp_path / "warehouse", Resources(threads=2)) as warehouse:
        counts = import_file(FILE, MAPPING, warehouse, CATALOG, tmp_path / "import", RECEIVED)
        assert counts == dict(expected)
        assert sum(counts.values()) == 29_481
        with warehouse.reader() as reader:
            [stored] = reader.sql_table("SELECT count(*) AS n FROM orders").to_pylist()
    assert stored["n"] == len(customers) - len(torn)


def test_same_file_again_changes_nothing(tmp_path: Path) -> None:
    """C-37"""
    with DuckDBWarehouse(tmp_path / "warehouse", Resources(threads=2)) as warehouse:
        first = import_file(FILE, MAPPING, warehouse, CATALOG, tmp_path / "one", RECEIVED)
        again = import_file(FILE, MAPPING, warehouse, CATALOG, tmp_path / "two", RECEIVED, source=2)
        assert again == {"already_stored": first["new"], **{k: v for k, v in first.items() if k == "invalid"}}
        with warehouse.reader() as reader:
            [stored] = reader.sql_table("SELECT count(*) AS entries FROM order_entries").to_pylist()
    assert stored["entries"] == len(_orders())


def _orders() -> set[str]:
    rows = csv.DictReader(gzip.decompress(FILE.read_bytes()).decode().splitlines())
    seen: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        seen.setdefault(row["OrderNumber"], set()).add((row["CustomerKey"], _day(row["OrderDate"])))
    return {order for order, said in seen.items() if len(said) == 1}


def _day(text: str) -> str:
    return datetime.strptime(text, "%m/%d/%Y").date().isoformat()
