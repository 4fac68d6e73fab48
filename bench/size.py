"""The size of the warehouse's file against the same relations as zstd Parquet (customers spec, section 13).

python -m bench.size --size small|medium|full
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import duckdb

from bench.generate import SIZES, prepare
from bench.groups import report, short
from muster.warehouse.duckdb.connection import FILE_NAME, Resources

_RELATIONS = {
    "profiles": "*",
    "app_facts": "*",
    "devices": "*",
    "all_events": "* REPLACE (CAST(props AS JSON) AS props)",
}


def parquet_bytes(database: Path, folder: Path) -> int:
    """Writes every relation as Parquet; answers the bytes of all."""

    connection = duckdb.connect(str(database), read_only=True)
    total = 0
    for relation, columns in _RELATIONS.items():
        target = folder / f"{relation}.parquet"
        connection.execute(f"COPY (SELECT {columns} FROM {relation}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        total += target.stat().st_size
        target.unlink()
    connection.close()
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--directory", type=Path, default=Path("var/bench"))
    options = parser.parse_args()
    directory = options.directory / options.size
    prepare(directory, SIZES[options.size], Resources(threads=2)).close()
    ours = (directory / FILE_NAME).stat().st_size
    with tempfile.TemporaryDirectory() as folder:
        theirs = parquet_bytes(directory / FILE_NAME, Path(folder))
    report("file-size", ours / theirs, 1.3, f"{ours / 1e6:,.0f} MB against {theirs / 1e6:,.0f} MB")
    return 1 if short() else 0


if __name__ == "__main__":
    sys.exit(main())
