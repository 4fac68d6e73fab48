"""Overwrites what lies in the file of rows that were erased: deleting only marks them (C-46).

Tables are written anew, which leaves their old blocks free; then a table of meaningless numbers fills every free block
and is dropped again. Readers go on meanwhile. Costs a copy of the tables, so it is done at night.
"""

from __future__ import annotations

import duckdb

from muster.warehouse.duckdb.erase import SCRUB_DUE
from muster.warehouse.duckdb.schema import get_meta, set_meta
from muster.warehouse.duckdb.scratch import count_of

_FILLER = "scrub_filler"
# Numbers without a pattern cannot be packed: eight bytes each, and a block that is begun is counted whole.
_NUMBER_BYTES, _SPARE_NUMBERS = 8, 500_000
_PIECE_BYTES, _SPARE_PIECES = 4_096, 128


def scrub(connection: duckdb.DuckDBPyConnection) -> bool:
    """Outside a transaction. Answers whether anything was due; may be repeated after a crash."""
    connection.execute(f"DROP TABLE IF EXISTS {_FILLER}")
    due = get_meta(connection, SCRUB_DUE)
    if due is None:
        return False
    # Before, so that what is written anew fills no piece only half over something of before; after, for what that
    # leaves free; and once more, a little longer, for the end of the last piece.
    _overwrite_free_pieces(connection, _SPARE_PIECES)
    # All of them: what is known of several tables lies in one piece, which stays as it is while one of them does.
    tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()
    for (table,) in tables:
        _rewrite(connection, table)
    # Twice: what one checkpoint frees may be written with the next only.
    connection.execute("CHECKPOINT")
    connection.execute("CHECKPOINT")
    _overwrite_free_blocks(connection)
    for spare in (2, 3, 4):
        _overwrite_free_pieces(connection, spare * _SPARE_PIECES)
    connection.begin()
    if get_meta(connection, SCRUB_DUE) == due:
        set_meta(connection, SCRUB_DUE, None)
    connection.commit()
    return True


def _rewrite(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    connection.begin()
    try:
        connection.execute(f"CREATE TABLE scrubbed AS SELECT * FROM {table}")
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"ALTER TABLE scrubbed RENAME TO {table}")
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _overwrite_free_blocks(connection: duckdb.DuckDBPyConnection) -> None:
    free = count_of(connection, "SELECT free_blocks * block_size FROM pragma_database_size()")
    count = free // _NUMBER_BYTES + _SPARE_NUMBERS
    connection.execute(f"CREATE TABLE {_FILLER} AS SELECT hash(i) AS number FROM range({count}) r(i)")
    connection.execute("CHECKPOINT")
    connection.execute(f"DROP TABLE {_FILLER}")
    connection.execute("CHECKPOINT")


def _overwrite_free_pieces(connection: duckdb.DuckDBPyConnection, spare: int) -> None:
    """Statistics hold the least and greatest value of a column; they lie in pieces of blocks that stay in use."""
    pieces = count_of(connection, "SELECT sum(len(free_list)) FROM pragma_metadata_info()") + spare
    connection.execute(f"CREATE TABLE {_FILLER} (number UBIGINT)")
    connection.execute(f"COMMENT ON TABLE {_FILLER} IS '{'-' * pieces * _PIECE_BYTES}'")
    connection.execute("CHECKPOINT")
    connection.execute(f"DROP TABLE {_FILLER}")
    connection.execute("CHECKPOINT")
