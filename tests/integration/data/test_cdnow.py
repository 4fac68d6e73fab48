"""CDNOW: 69,659 real purchases of 23,570 people as orders; recency, frequency and spend equal pandas."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from muster.engine.context import Context
from muster.engine.evaluate import Evaluation, members_from
from muster.engine.plan import plan
from muster.rules.codec import decode
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Vocabulary
from muster.warehouse.catalog import App, Catalog
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.data.importing import import_file

FILE = Path(__file__).parents[2] / "data" / "cdnow" / "CDNOW_master.txt.gz"
NOW = datetime(1998, 7, 1, tzinfo=UTC)
CATALOG = Catalog(apps={"cdnow": App("cdnow", 1)}, currency="USD")
VOCABULARY = Vocabulary(STANDARD_ATTRIBUTES, {}, {"cdnow": 1})
# The file has no number of an order: each row is one purchase, also two of one person on one day.
MAPPING = {
    "kind": "orders",
    "app": "cdnow",
    "row": {
        "external_id": "customer",
        "happened_at": {"column": "day", "format": "%Y%m%d", "zone": "UTC"},
        "amount": {"column": "dollars", "strip": "$"},
        "currency": {"value": "USD"},
    },
}


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    lines = [line.split() for line in gzip.decompress(FILE.read_bytes()).decode().splitlines()[1:] if line.strip()]
    frame = pd.DataFrame(lines, columns=["customer", "day", "count", "dollars"])
    frame["cents"] = [round(float(text) * 100) for text in frame["dollars"]]
    frame["at"] = pd.to_datetime(frame["day"], format="%Y%m%d")
    return frame


@pytest.fixture(scope="module")
def cdnow(purchases: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    folder = tmp_path_factory.mktemp("cdnow")
    path = folder / "cdnow.csv"
    purchases[["customer", "day", "dollars"]].assign(dollars=lambda frame: "$" + frame["dollars"]).to_csv(
        path, index=False
    )
    with DuckDBWarehouse(folder / "warehouse", Resources(threads=2)) as warehouse:
        # Small chunks: what is derived must not depend on where a chunk ends.
        counts = import_file(path, MAPPING, warehouse, CATALOG, folder / "import", NOW, chunk=20_000)
        assert counts == {"new": 69_659}
        yield warehouse


def _count(warehouse: DuckDBWarehouse, match: dict[str, Any]) -> int:
    context = Context(NOW, VOCABULARY)
    definition = decode({"version": 1, "app": "cdnow", "match": match}, VOCABULARY)
    with warehouse.reader() as reader:
        evaluation = Evaluation(context, warehouse, reader, warehouse.highest_key() + 1, members_from({}))
        return len(evaluation.result(plan(definition, context)).members)


def test_totals_are_exact(cdnow: DuckDBWarehouse, purchases: pd.DataFrame) -> None:
    """C-23: to the cent."""
    with cdnow.reader() as reader:
        [row] = reader.sql_table(
            "SELECT count(*) AS orders, sum(amount_micros) AS micros, count(DISTINCT customer_key) AS people"
            " FROM orders"
        ).to_pylist()
    assert (row["orders"], int(row["micros"]) // 10_000, row["people"]) == (
        69_659,
        int(purchases["cents"].sum()),
        23_570,
    )


def test_frequency_recency_and_spend_equal_pandas(cdnow: DuckDBWarehouse, purchases: pd.DataFrame) -> None:
    paid = purchases[purchases["cents"] > 0].groupby("customer")
    spend = purchases.groupby("customer")["cents"].sum()
    now = pd.Timestamp(NOW.replace(tzinfo=None))
    frequency, last = paid.size(), paid["at"].max()
    assert _count(cdnow, {"everyone": True}) == 23_570
    assert _count(cdnow, _attribute("purchase_count", "gte", 5)) == int((frequency >= 5).sum())
    assert _count(cdnow, _attribute("purchase_count", "is", 1)) == int((frequency == 1).sum())
    assert _count(cdnow, _attribute("has_purchased", "is", False)) == 23_570 - len(frequency)
    for days in (30, 90, 365):
        recent = int((last > now - pd.Timedelta(days=days)).sum())
        assert _count(cdnow, _attribute("last_purchase_at", "in_last", f"P{days}D")) == recent
    for dollars in (20, 100, 500):
        assert _count(cdnow, _attribute("app_spend", "gte", dollars)) == int((spend >= dollars * 100).sum())
    best = spend.sort_values(ascending=False)
    limit = best.iloc[-(-len(best) // 10) - 1]
    assert _count(cdnow, _attribute("app_spend", "top_percent", 10)) == int((spend >= limit).sum())


def _attribute(key: str, op: str, value: Any) -> dict[str, Any]:
    return {"attribute": key, "op": op, "value": value}
