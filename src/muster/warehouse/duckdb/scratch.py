"""Temporary tables of one write, filled from Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[None]:
    """The Arrow table as relation `name`."""
    connection.register(name, rows)
    try:
        yield
    finally:
        connection.unregister(name)


def temp_table(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """A temporary table with the rows."""
    with registered(connection, f"{name}_arrow", rows):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_arrow")


def count_of(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The number a query answers; null counts as 0."""
    (row,) = connection.execute(sql).fetchall()
    return int(row[0] or 0)
