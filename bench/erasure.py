"""Erasing a thousand customers in one pass, against deleting the rows of their keys from DuckDB by hand.

    python -m bench.erasure --customers 200000

Lines as `bench NAME RATIO LIMIT ok|short`, like bench.groups. The baseline only deletes; it derives nothing again,
looks for nobody's name and counts nothing afterwards.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from bench.groups import RESOURCES, report, short
from muster.warehouse.batch import Batch
from muster.warehouse.catalog import App, Catalog
from muster.warehouse.duckdb import erase
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse

CATALOG = Catalog(apps={"notes": App("notes", 1)}, currency="EUR")
RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)
CHUNK = 100_000
ERASED = 1_000


def fill(warehouse: DuckDBWarehouse, customers: int) -> None:
    """Each with a name, an address, an order and five events."""
    for start in range(0, customers, CHUNK):
        count = min(CHUNK, customers - start)
        for round_ in range(5):
            warehouse.append(_batch(start, count, round_), CATALOG, derive=False)
    warehouse.derive_stale(CATALOG)
    warehouse.checkpoint()


def _batch(start: int, count: int, round_: int) -> Batch:
    people = range(start, start + count)
    items = pa.table(
        {
            "app_key": pa.array([1] * count, pa.uint16()),
            "external_id": pa.array([f"user-{n}" for n in people]),
            "happened_at": pa.array(
                [RECEIVED.replace(tzinfo=None) - timedelta(days=round_)] * count, pa.timestamp("us")
            ),
            "hash": pa.array([(n * 8 + round_).to_bytes(16, "big") for n in people], pa.binary(16)),
            "trust": pa.array([2] * count, pa.uint8()),
        }
    )
    item = pa.array(range(count), pa.uint32())
    parts = {
        "events": pa.table({"item": item, "event": pa.array([2] * count, pa.uint16()), "props": ['{"a":1}'] * count})
    }
    if round_ == 0:
        parts["traits"] = pa.table(
            {"item": item, "attribute": ["name"] * count, "value": [f'"Ann {n}"' for n in people]}
        )
        parts["emails"] = pa.table({"item": item, "address": [f"u{n}@example.com" for n in people]})
        parts["orders"] = pa.table(
            {
                "item": item,
                "kind": ["completed"] * count,
                "order_id": [f"o{n}" for n in people],
                "amount_micros": pa.array([5_000_000] * count, pa.int64()),
                "currency": ["EUR"] * count,
            }
        )
    return Batch(RECEIVED, items, parts)


def by_hand(path: Path, keys: BitMap) -> float:
    connection = duckdb.connect(str(path), config={"threads": 2})
    connection.register("gone", pa.table({"customer_key": pa.array(list(keys), pa.uint32())}))
    started = time.perf_counter()
    connection.begin()
    for table in (*erase.RAW, *erase.DERIVED, "order_entries"):
        connection.execute(f"DELETE FROM {table} WHERE customer_key IN (SELECT customer_key FROM gone)")
    connection.rollback()
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=200_000)
    arguments = parser.parse_args()
    keys = BitMap(range(7, arguments.customers, arguments.customers // ERASED))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with DuckDBWarehouse(folder, RESOURCES) as warehouse:
            fill(warehouse, arguments.customers)
        theirs = by_hand(folder / "warehouse.duckdb", keys)
        with DuckDBWarehouse(folder, RESOURCES) as warehouse:
            started = time.perf_counter()
            subject = warehouse.subject_of(keys)
            removed, _ = warehouse.erase_customers(subject, CATALOG)
            assert warehouse.count_customers(subject) == {}
            ours = time.perf_counter() - started
            assert removed["profiles"] == len(keys)
            size = os.path.getsize(folder / "warehouse.duckdb") / 1e6
            started = time.perf_counter()
            warehouse.scrub()
            night = time.perf_counter() - started
        # A guess: names, counts before the receipt and everything derived again, for what is done a few times a day.
        report("erase-1000", ours / theirs, 10, f"{len(keys)} people in {ours:.2f} s against {theirs:.2f} s")
        print(f"  {size:.0f} MB overwritten in {night:.1f} s of the night", file=sys.stderr)
    raise SystemExit(1 if short() else 0)


if __name__ == "__main__":
    main()
