"""Import of CSV orders, verdicts included, against DuckDB's own read_csv and INSERT of the same rows; and file size.

    python -m bench.imports --rows 1000000 [--products]

With `--products`, only the memory that orders of many lines need.
Lines as `bench NAME RATIO LIMIT ok|short`, like bench.groups (customers spec, section 13).
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.abc import MetaPathFinder
from pathlib import Path

import duckdb

from bench.groups import RESOURCES, report, short
from muster.warehouse.catalog import App, Catalog
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.files.batches import batches_from
from muster.warehouse.files.mapping import read_mapping, read_source
from muster.warehouse.files.reading import file_digest, open_rows
from muster.warehouse.files.stage import Stage


class _WithoutPandas(MetaPathFinder):
    """Arrow loads pandas where it is there. The tests need it; an installation has none, nor its time and memory."""

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


sys.meta_path.insert(0, _WithoutPandas())
CATALOG = Catalog(apps={"notes": App("notes", 1)}, currency="EUR")
RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)
MAPPING: dict[str, object] = {
    "kind": "orders",
    "app": "notes",
    "row": {
        "external_id": "customer",
        "order_id": "order",
        "happened_at": "at",
        "amount": "amount",
        "currency": "currency",
        "coupon": "coupon",
        "market": "market",
    },
}

LINES_MAPPING: dict[str, object] = {
    "kind": "orders",
    "app": "notes",
    "row": {
        "external_id": "customer",
        "happened_at": "at",
        "currency": "currency",
        "coupon": "coupon",
        "products": {"group_by": "order", "product_id": "product", "price": "price", "quantity": "quantity"},
    },
}


def write_csv(path: Path, rows: int) -> None:
    """One order a row, of a third as many customers."""
    duckdb.connect().execute(
        f"""COPY (SELECT 'O' || i AS "order", 'u' || (hash(i) % {max(rows // 3, 1)}) AS customer,
        strftime(TIMESTAMP '2026-11-21' - INTERVAL (hash(i + 7) % 31536000) SECOND, '%Y-%m-%dT%H:%M:%SZ') AS at,
        printf('%.2f', (hash(i + 3) % 20000) / 100.0) AS amount, 'EUR' AS currency,
        CASE WHEN hash(i) % 10 = 0 THEN 'SPRING' END AS coupon, 'FR' AS market
        FROM range({rows}) t(i)) TO '{path}' (HEADER)"""
    )


def write_lines_csv(path: Path, rows: int) -> None:
    """Five lines for two orders, of a third as many customers as orders; every tenth order is not of one piece."""
    duckdb.connect().execute(
        f"""COPY (SELECT printf('2026-%012d', n) AS "order", 'u' || (hash(n) % {max(rows // 8, 1)}) AS customer,
        strftime(TIMESTAMP '2026-11-21' - INTERVAL (hash(n + 7) % 31536000) SECOND, '%Y-%m-%dT%H:%M:%SZ') AS at,
        'EUR' AS currency, CASE WHEN n % 7 = 0 AND i % 2 = 0 THEN 'SPRING' END AS coupon,
        'com.example.product.' || (hash(i) % 5000) AS product, printf('%.2f', (hash(i + 3) % 20000) / 100.0) AS price,
        hash(i + 5) % 3 + 1 AS quantity
        FROM (SELECT i, i * 2 // 5 AS n FROM range({rows}) t(i))
        ORDER BY CASE WHEN n % 10 = 0 THEN hash(i) % {rows} ELSE i END) TO '{path}' (HEADER)"""
    )


def ours(path: Path, folder: Path, document: dict[str, object]) -> float:
    """Seconds for dry run and application."""
    started = time.perf_counter()
    with DuckDBWarehouse(folder / "warehouse", RESOURCES) as warehouse:
        rows = open_rows(path, read_source(document.get("source")))
        mapping = read_mapping(document, rows.columns)
        (folder / "stage").mkdir()
        with Stage(folder / "stage", mapping) as stage, warehouse.frugal():
            counts = stage.fill(rows, file_digest(path), warehouse, 1, lambda _: None)
            checked = time.perf_counter() - started
            for batch, reached in batches_from(stage, mapping, CATALOG, 0, source=1, received_at=RECEIVED):
                warehouse.append(batch, CATALOG, {"bench": reached}, derive=False)
            warehouse.derive_stale(CATALOG)
    seconds = time.perf_counter() - started
    print(f"  dry run {checked:.1f} s, application {seconds - checked:.1f} s, {counts}", file=sys.stderr)
    return seconds


def theirs(path: Path, folder: Path) -> float:
    started = time.perf_counter()
    connection = duckdb.connect(str(folder / "baseline.duckdb"))
    connection.execute("SET threads = 2")
    connection.execute(f"CREATE TABLE orders AS SELECT * FROM read_csv('{path}') LIMIT 0")
    connection.execute(f"INSERT INTO orders SELECT * FROM read_csv('{path}')")
    connection.close()
    return time.perf_counter() - started


def bench_import(rows: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "orders.csv"
        write_csv(path, rows)
        ratios = []
        for number in range(rounds):
            (mine := folder / f"mine{number}").mkdir()
            (other := folder / f"other{number}").mkdir()
            ours_seconds, theirs_seconds = ours(path, mine, MAPPING), theirs(path, other)
            ratios.append((ours_seconds / theirs_seconds, ours_seconds, theirs_seconds))
            shutil.rmtree(mine)
        ratio, mine_seconds, other_seconds = sorted(ratios)[len(ratios) // 2]
        note = f"{mine_seconds:.1f} s against {other_seconds:.2f} s, {rows / mine_seconds:,.0f} rows/s"
        report("import-orders", ratio, 8, note)


def bench_memory(rows: int, *, products: bool = False) -> None:
    """Peak memory of a process that does nothing but the import."""
    script = f"from bench.imports import import_alone; import_alone({rows}, products={products})"
    done = subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True)
    kib, seconds = done.stdout.split()[-2:]
    mib = int(kib) / 1024
    name = "import-order-lines-memory" if products else "import-peak-memory"
    report(name, mib / 512, 1.0, f"{mib:.0f} MiB of 512, {rows / float(seconds):,.0f} rows/s")


def import_alone(rows: int, *, products: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "orders.csv"
        # In a process of its own: what writing costs is not the import's.
        write = "write_lines_csv" if products else "write_csv"
        script = f"from pathlib import Path; from bench.imports import {write}; {write}(Path({str(path)!r}), {rows})"
        subprocess.run([sys.executable, "-c", script], check=True)
        (folder := Path(name) / "mine").mkdir()
        seconds = ours(path, folder, LINES_MAPPING if products else MAPPING)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--products", action="store_true")
    options = parser.parse_args()
    if not options.products:
        bench_import(options.rows, options.rounds)
    bench_memory(options.rows, products=options.products)
    return 1 if short() else 0


if __name__ == "__main__":
    sys.exit(main())
