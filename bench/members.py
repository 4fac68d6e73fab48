"""Import of addresses into a known user group against Python's `csv` and `set` doing the same without verdicts.

    python -m bench.members --rows 1000000

A third of the addresses belong to customers, a tenth stands in the file twice. Baseline: read the column, trim, lower,
put it into a set, look each up among the known addresses, write the list. Lines as `bench NAME RATIO LIMIT ok|short`.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from bench.groups import RESOURCES, report, short
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.files.reading import Source, open_rows
from muster.warehouse.lists.entries import EntryKind
from muster.warehouse.lists.files import ListFiles
from muster.warehouse.lists.stage import MembersStage

# ADR 0014.
MEMBERS_LIMIT = 4
NOBODY = pa.table({"kind": pa.array([], pa.uint8()), "identity": pa.array([], pa.string())})
NOW = datetime(2026, 11, 21)


def write_csv(path: Path, rows: int) -> None:
    duckdb.connect().execute(
        f"""COPY (SELECT 'Person ' || i AS name, 'User' || hash(i % {rows * 9 // 10}) % 100000000000 || '@Example'
        || (i % {rows * 9 // 10}) % 97 || '.com' AS email FROM range({rows}) t(i)) TO '{path}' (HEADER)"""
    )


def load_customers(warehouse: DuckDBWarehouse, path: Path) -> None:
    """Every third address of the file is a customer's."""
    query = f"""SELECT row_number() OVER ()::UINTEGER AS customer_key, lower(email) AS address, lower(email) AS normal,
        true AS verified FROM (SELECT DISTINCT email FROM read_csv('{path}')) WHERE hash(email) % 3 = 0"""
    rows = duckdb.connect().sql(query).to_arrow_table()
    happened = pa.array([NOW] * rows.num_rows, pa.timestamp("us"))
    warehouse.load("emails", rows.append_column("happened_at", happened))


def ours(path: Path, folder: Path, warehouse: DuckDBWarehouse) -> float:
    """Seconds from the file to the list in force and its members."""
    (folder / "stage").mkdir()
    files = ListFiles(folder / "lists")
    started = time.perf_counter()
    with MembersStage(folder / "stage", "add") as stage:
        counts = stage.fill(
            open_rows(path, Source()),
            "email",
            EntryKind.EMAIL,
            files.read("grp_1", 0),
            NOBODY,
            warehouse,
            lambda _: None,
        )
        files.write("grp_1", 1, stage.result())
    members = warehouse.matching_keys(files.read("grp_1", 1), customers=False)
    known = sum(one.num_rows for one in warehouse.matching_entries(files.read("grp_1", 1), customers=False))
    seconds = time.perf_counter() - started
    assert len(members) == known == counts["new"], counts
    return seconds


def theirs(path: Path, folder: Path, known: set[str]) -> float:
    started = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        entries = {row["email"].strip().lower() for row in csv.DictReader(file)}
    members = {entry for entry in entries if entry in known}
    with (folder / "list").open("w", encoding="utf-8") as file:
        file.writelines(f"{entry}\n" for entry in entries)
    assert members
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "members.csv"
        write_csv(path, options.rows)
        with DuckDBWarehouse(folder / "warehouse", RESOURCES) as warehouse:
            load_customers(warehouse, path)
            rows = duckdb.connect().execute(
                f"SELECT DISTINCT lower(email) FROM read_csv('{path}') WHERE hash(email) % 3 = 0"
            )
            known = {address for (address,) in rows.fetchall()}
            pairs = []
            for number in range(options.rounds):
                here = folder / str(number)
                here.mkdir()
                pairs.append((ours(path, here, warehouse), theirs(path, here, known)))
                print(f"  ours {pairs[-1][0]:.2f} s, csv and set {pairs[-1][1]:.2f} s", file=sys.stderr)
                shutil.rmtree(here)
    best, baseline = (min(one) for one in zip(*pairs, strict=True))
    report("import-members", best / baseline, MEMBERS_LIMIT)
    print(f"  {options.rows / best:,.0f} rows a second", file=sys.stderr)
    sys.exit(short())


if __name__ == "__main__":
    main()
