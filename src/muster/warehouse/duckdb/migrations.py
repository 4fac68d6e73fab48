"""How a file of an older schema becomes one of today's: a function for each version, in its transaction.

Version n turns a file of version n - 1 into one of n, and says so in the same transaction. First expand, then contract:
a version may add tables and columns and fill them from others; what nothing reads any more is dropped by a later one.
Texts here are of their time: they do not follow the tables of `schema`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb


def _keep_rate_entries(connection: duckdb.DuckDBPyConnection) -> None:
    """Rates remember who put them; those there are stand as entered by hand. Files of in between have the table."""
    found = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rate_entries'").fetchall()
    if not found:
        connection.execute(
            "CREATE TABLE rate_entries (day DATE, currency VARCHAR, numerator BIGINT, denominator BIGINT,"
            " source UINTEGER, number UINTEGER)"
        )
        connection.execute("INSERT INTO rate_entries SELECT day, currency, numerator, denominator, 0, 1 FROM rates")


def _carry_usage(connection: duckdb.DuckDBPyConnection) -> None:
    """What retention takes out of the events and the facts still count has a place of its own."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS usage_carry (customer_key UINTEGER, app_key USMALLINT, first_used_at TIMESTAMP,"
        " last_used_at TIMESTAMP, session_count INTEGER, engaged_seconds BIGINT)"
    )


def _keep_late(connection: duckdb.DuckDBPyConnection) -> None:
    """What comes alone is derived later."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS late (customer_key UINTEGER);"
        "CREATE TABLE IF NOT EXISTS late_orders (app_key USMALLINT, order_id VARCHAR)"
    )


def _tell_rejects_apart(connection: duckdb.DuckDBPyConnection) -> None:
    """What is refused from now on can be named, and taken once more; of what was before nobody knows enough."""
    connection.execute(
        "ALTER TABLE rejects ADD COLUMN IF NOT EXISTS number UBIGINT;"
        "ALTER TABLE rejects ADD COLUMN IF NOT EXISTS place VARCHAR;"
        "ALTER TABLE rejects ADD COLUMN IF NOT EXISTS nth UINTEGER;"
        "CREATE TABLE IF NOT EXISTS reject_requests (place VARCHAR, told VARCHAR);"
        "UPDATE rejects SET number = n.number FROM (SELECT rowid AS row,"
        " row_number() OVER (ORDER BY received_at, rowid) AS number FROM rejects) n"
        " WHERE rejects.rowid = n.row AND rejects.number IS NULL;"
        "DELETE FROM meta WHERE key = 'last_reject';"
        "INSERT INTO meta SELECT 'last_reject', CAST(max(number) AS VARCHAR) FROM rejects HAVING count(*) > 0"
    )


def _hash_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Identities are found by a hash of their text. Made anew, which takes less memory than changing every row."""
    connection.execute(
        "CREATE TABLE identities_hashed AS SELECT kind, app_key, text, customer_key, subject_of, since,"
        " CAST(md5_number(text) & 4294967295 AS UINTEGER) AS text_hash FROM identities;"
        "DROP TABLE identities;"
        "ALTER TABLE identities_hashed RENAME TO identities"
    )


MIGRATIONS: Mapping[int, Callable[[duckdb.DuckDBPyConnection], None]] = {
    2: _keep_rate_entries,
    3: _carry_usage,
    4: _keep_late,
    5: _tell_rejects_apart,
    6: _hash_texts,
}
SCHEMA_VERSION = max(MIGRATIONS)
