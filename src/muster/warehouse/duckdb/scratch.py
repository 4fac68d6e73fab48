"""Temporary tables of one write, filled from Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
import pyarrow as pa

_BATCH_ROWS = 16_384


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[None]:
    """The Arrow table as relation `name`."""
    connection.register(name, rows)
    try:
        yield
    except BaseException:
        # In a transaction that failed DuckDB refuses this too: what was wrong is told, not that.
        with suppress(duckdb.Error):
            connection.unregister(name)
        raise
    connection.unregister(name)


def in_small_batches(rows: pa.Table) -> pa.Table:
    """The same rows: each batch of an Arrow table is one thread's work."""
    return pa.Table.from_batches(rows.to_batches(max_chunksize=_BATCH_ROWS), rows.schema)


def temp_table(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """A temporary table with the rows."""
    with registered(connection, f"{name}_arrow", rows):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_arrow")


def count_of(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The number a query answers; null counts as 0."""
    (row,) = connection.execute(sql).fetchall()
    return int(row[0] or 0)
