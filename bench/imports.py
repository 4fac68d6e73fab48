"""Import of CSV orders, verdicts included, against DuckDB's own read_csv and INSERT of the same rows; and file size.

    python -m bench.imports --rows 1000000

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
from pathlib import Path

import duckdb

from bench.groups import RESOURCES, report, short
from muster.warehouse.catalog import App, Catalog
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.files.batches import batches_from
from muster.warehouse.files.mapping import read_mapping, read_source
from muster.warehouse.files.reading import file_digest, open_rows
from muster.warehouse.files.stage import Stage

CATALOG = Catalog(apps={"notes": App("notes", 1)}, currency="EUR")
RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)
MAPPING = {
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


def write_csv(path: Path, rows: int) -> None:
    """One order a row, of a third as many customers."""
    duckdb.connect().execute(
        f"""COPY (SELECT 'O' || i AS "order", 'u' || (hash(i) % {max(rows // 3, 1)}) AS customer,
        strftime(TIMESTAMP '2026-11-21' - INTERVAL (hash(i + 7) % 31536000) SECOND, '%Y-%m-%dT%H:%M:%SZ') AS at,
        printf('%.2f', (hash(i + 3) % 20000) / 100.0) AS amount, 'EUR' AS currency,
        CASE WHEN hash(i) % 10 = 0 THEN 'SPRING' END AS coupon, 'FR' AS market
        FROM range({rows}) t(i)) TO '{path}' (HEADER)"""
    )


def ours(path: Path, folder: Path) -> float:
    """Seconds for dry run and application."""
    started = time.perf_counter()
    with DuckDBWarehouse(folder / "warehouse", RESOURCES) as warehouse:
        rows = open_rows(path, read_source(MAPPING.get("source")))
        mapping = read_mapping(MAPPING, rows.columns)
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
            ours_seconds, theirs_seconds = ours(path, mine), theirs(path, other)
            ratios.append((ours_seconds / theirs_seconds, ours_seconds, theirs_seconds))
            shutil.rmtree(mine)
        ratio, mine_seconds, other_seconds = sorted(ratios)[len(ratios) // 2]
        note = f"{mine_seconds:.1f} s against {other_seconds:.2f} s, {rows / mine_seconds:,.0f} rows/s"
        report("import-orders", ratio, 8, note)


def bench_memory(rows: int) -> None:
    """Peak memory of a process that does nothing but the import."""
    done = subprocess.run(
        [sys.executable, "-c", f"from bench.imports import import_alone; import_alone({rows})"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    mib = int(done.stdout.split()[-1]) / 1024
    report("import-peak-memory", mib / 512, 1.0, f"{mib:.0f} MiB of 512")


def import_alone(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "orders.csv"
        # In a process of its own: what writing costs is not the import's.
        script = (
            f"from pathlib import Path; from bench.imports import write_csv; write_csv(Path({str(path)!r}), {rows})"
        )
        subprocess.run([sys.executable, "-c", script], check=True)
        (folder := Path(name) / "mine").mkdir()
        ours(path, folder)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    bench_import(options.rows, options.rounds)
    bench_memory(options.rows)
    return 1 if short() else 0


if __name__ == "__main__":
    sys.exit(main())
