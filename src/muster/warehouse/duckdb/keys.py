"""Customer keys are given in order and never reused, not even after merges and erasures."""

from __future__ import annotations

import duckdb

from muster.warehouse.duckdb.schema import get_meta, set_meta


def highest_key(connection: duckdb.DuckDBPyConnection) -> int:
    return int(get_meta(connection, "highest_key") or 0)


def remember_highest_key(connection: duckdb.DuckDBPyConnection, key: int) -> None:
    if key > highest_key(connection):
        set_meta(connection, "highest_key", str(key))
