"""Bulk loading of one table as it is, for benchmarks and tests that need rows without their history."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from muster.warehouse.duckdb.keys import remember_highest_key
from muster.warehouse.duckdb.schema import stored_table
from muster.warehouse.duckdb.scratch import count_of

_INCOMING = "incoming_rows"


def load_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> int:
    """INSERT by column name; columns that are not given become null."""
    connection.register(_INCOMING, rows)
    try:
        columns = ", ".join(
            "CAST(CAST(props AS JSON) AS VARIANT) AS props" if name == "props" else f'"{name}"'
            for name in rows.column_names
        )
        connection.execute(f'INSERT INTO "{stored_table(table)}" BY NAME SELECT {columns} FROM {_INCOMING}')
        if "customer_key" in rows.column_names:
            remember_highest_key(connection, count_of(connection, f"SELECT max(customer_key) FROM {_INCOMING}"))
    finally:
        connection.unregister(_INCOMING)
    return int(rows.num_rows)
