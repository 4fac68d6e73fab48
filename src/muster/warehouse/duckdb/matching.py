"""Whom the entries of lists name among the customers there are (C-10): verified addresses, external ids, customers."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from pyroaring import BitMap

# An address may belong to several customers, who then all match. The id of a merged customer names its survivor.
_KNOWN = """
    SELECT 0 AS kind, normal AS identity, customer_key FROM emails WHERE verified
    UNION ALL SELECT 1, text, customer_key FROM identities WHERE kind = 'external'
    UNION ALL SELECT 2, CAST(customer_key AS VARCHAR), customer_key FROM profiles
        WHERE EXISTS (SELECT 1 FROM asked_customers)
    UNION ALL SELECT 2, CAST(loser AS VARCHAR), survivor FROM merges
"""


def matching_keys(connection: duckdb.DuckDBPyConnection, entries: pa.RecordBatchReader, *, customers: bool) -> BitMap:
    """The customers the entries (kind, identity) name. `customers`: whether there are any of kind `customer`."""
    _register(connection, entries, customers)
    found = connection.sql(
        f"SELECT DISTINCT k.customer_key FROM asked_entries a JOIN ({_KNOWN}) k USING (kind, identity)"
    ).fetchnumpy()["customer_key"]
    return BitMap(np.asarray(found, np.uint32))


def matching_entries(
    connection: duckdb.DuckDBPyConnection, entries: pa.RecordBatchReader, *, customers: bool
) -> pa.RecordBatchReader:
    """Those of the entries (kind, identity) that name somebody, with the same columns."""
    _register(connection, entries, customers)
    return connection.sql(
        "SELECT kind, identity FROM asked_entries a SEMI JOIN"
        f" (SELECT kind, identity FROM ({_KNOWN})) k USING (kind, identity)"
    ).to_arrow_reader(100_000)


def _register(connection: duckdb.DuckDBPyConnection, entries: pa.RecordBatchReader, customers: bool) -> None:
    connection.register("asked_entries", entries)
    connection.register("asked_customers", pa.table({"asked": [True] if customers else []}))
