"""By which names customers may stand on lists, and quickly whether they do (C-10, G-23).

A list of millions is kept in memory as the hashes of its entries; whoever seems to join by them is looked up in the
list itself, so that no chance, and nobody's skill with hashes, puts anybody on a list.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

_HASH = "hash(CAST(kind AS UTINYINT), identity)"
_NAMES = f"""
SELECT customer_key, CAST(kind AS UTINYINT) AS kind, identity, {_HASH} AS hash FROM (
    SELECT customer_key, 0 AS kind, normal AS identity FROM emails WHERE verified AND {{mine}}
    UNION ALL SELECT customer_key, 1, text FROM identities WHERE kind = 'external' AND {{mine}}
    UNION ALL SELECT DISTINCT customer_key, 2, CAST(customer_key AS VARCHAR) FROM identities WHERE {{mine}}
    UNION ALL SELECT survivor, 2, CAST(loser AS VARCHAR) FROM merges WHERE {{survivors}})
"""
# Fewer are told in the query itself: that is found through the ranges the store keeps of every portion.
_MOST_TOLD = 100


def names_of(connection: duckdb.DuckDBPyConnection, keys: Sequence[int]) -> pa.Table:
    """Everything by which entries could name these customers: customer_key, kind, identity, hash."""
    if len(keys) <= _MOST_TOLD:
        told = ", ".join(str(int(key)) for key in keys)
        mine = f"IN ({told}) AND {{}} BETWEEN {min(keys)} AND {max(keys)}"
    else:
        connection.register("asked_keys", pa.table({"customer_key": pa.array(keys, pa.uint32())}))
        mine = "IN (SELECT customer_key FROM asked_keys)"
    sql = _NAMES.replace("{mine}", "customer_key " + mine.replace("{}", "customer_key"))
    sql = sql.replace("{survivors}", "survivor " + mine.replace("{}", "survivor"))
    return connection.sql(sql).to_arrow_table()


def entry_hashes(connection: duckdb.DuckDBPyConnection, entries: pa.RecordBatchReader) -> npt.NDArray[np.uint64]:
    """Of every entry (kind, identity) of a list, ascending."""
    connection.register("asked_entries", entries)
    found = connection.sql(f"SELECT {_HASH} AS hash FROM asked_entries").fetchnumpy()["hash"]
    return np.sort(np.asarray(found, np.uint64))


def named_by(
    connection: duckdb.DuckDBPyConnection, entries: pa.RecordBatchReader, names: pa.Table
) -> tuple[BitMap, int]:
    """Who of those with these names the list names, and by how many entries."""
    connection.register("asked_entries", entries)
    connection.register("asked_names", names)
    found = connection.sql(
        "SELECT DISTINCT n.customer_key, kind, identity FROM asked_entries JOIN asked_names n USING (kind, identity)"
    ).to_arrow_table()
    entries_found = len(set(zip(found.column("kind").to_pylist(), found.column("identity").to_pylist(), strict=True)))
    return BitMap(found.column("customer_key").to_numpy()), entries_found
