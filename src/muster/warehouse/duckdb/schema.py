"""The tables of the DuckDB file: raw ones (the source of truth, appended to) and those derived from them."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from muster.kernel.errors import InternalError
from muster.kernel.worded import worded
from muster.rules.vocabulary import Scope
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.migrations import MIGRATIONS, SCHEMA_VERSION
from muster.warehouse.errors import WarehouseTooNewError
from muster.warehouse.relations import ASKABLE, custom_columns

_DUCKDB_TYPES = {
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp(6)": "TIMESTAMP",
    "array<string>": "VARCHAR[]",
}
_IBIS_TYPES = {duckdb_type: ibis_type for ibis_type, duckdb_type in _DUCKDB_TYPES.items()}

# Order ids are most of what an import of orders writes: finding out how to compress them costs a third of writing an
# order, and saves some 7 bytes.
_STORED = {("orders", "order_id"): "VARCHAR USING COMPRESSION uncompressed"}

# Columns that definitions cannot ask. Such a relation is a view of `all_<relation>`, which has them.
_HIDDEN: Mapping[str, str] = {
    # `entry` is the hash of the order entry in force.
    "orders": "coupon VARCHAR, market VARCHAR, currency_assumed BOOLEAN, entry UUID",
    # `active`: use of the app (C-22) as the item says, before the catalog is asked.
    "events": "active BOOLEAN, hash UUID, props VARIANT",
    "sessions": "session_id VARCHAR",
}

_DERIVED = """
-- Order lines in force, one row a line: what `product_purchased` is asked on.
CREATE TABLE purchases (
    customer_key UINTEGER, app_key USMALLINT, order_id VARCHAR, line INTEGER, happened_at TIMESTAMP,
    product_id VARCHAR, category VARCHAR, name VARCHAR, price_micros BIGINT, quantity DECIMAL(18, 6),
    coupon VARCHAR, amount_micros BIGINT, refunded BOOLEAN, entry UUID);
-- Each time a customer got an app (addon null) or an add-on, said by an event or read off an order.
CREATE TABLE acquisitions (
    customer_key UINTEGER, app_key USMALLINT, addon VARCHAR, happened_at TIMESTAMP, hash UUID,
    acquisition_type VARCHAR, explicit BOOLEAN, refunded BOOLEAN, order_id VARCHAR);
"""

_RAW = """
CREATE TABLE meta (key VARCHAR, value VARCHAR);
CREATE TABLE cursors (name VARCHAR, position VARCHAR);
CREATE TABLE sources (source UINTEGER, name VARCHAR);
CREATE TABLE event_ids (hash UUID, received_at TIMESTAMP, source UINTEGER);
CREATE TABLE rejects (
    hash UUID, code VARCHAR, app_key USMALLINT, source UINTEGER, received_at TIMESTAMP, happened_at TIMESTAMP,
    item VARCHAR, number UBIGINT, place VARCHAR, nth UINTEGER);
-- What was said of all messages of a request at its place, of which some are in `rejects`: to take them once more.
CREATE TABLE reject_requests (place VARCHAR, told VARCHAR);
-- `subject_of`: the customer that became known under this identity; after a merge that is no longer its customer_key.
CREATE TABLE identities (
    kind VARCHAR, app_key USMALLINT, text VARCHAR, customer_key UINTEGER, subject_of UINTEGER, since TIMESTAMP,
    text_hash UINTEGER);
CREATE TABLE merges (loser UINTEGER, survivor UINTEGER, merged_at TIMESTAMP);
-- One row a customer, app and batch: when it was seen, whatever the items said.
CREATE TABLE sightings (
    customer_key UINTEGER, app_key USMALLINT, first_at TIMESTAMP, last_at TIMESTAMP, source UINTEGER);
-- What page and listing views say about where somebody came from, out of their properties: read with every derivation.
CREATE TABLE touches (
    customer_key UINTEGER, app_key USMALLINT, event USMALLINT, happened_at TIMESTAMP, hash UUID, url VARCHAR,
    referrer VARCHAR, campaign VARCHAR, source UINTEGER);
CREATE TABLE traits (
    customer_key UINTEGER, app_key USMALLINT, attribute VARCHAR, value VARCHAR, happened_at TIMESTAMP, hash UUID,
    source UINTEGER, trust UTINYINT);
CREATE TABLE emails (
    customer_key UINTEGER, address VARCHAR, normal VARCHAR, verified BOOLEAN, happened_at TIMESTAMP, hash UUID,
    source UINTEGER, trust UTINYINT);
CREATE TABLE consents (
    customer_key UINTEGER, purpose VARCHAR, channel VARCHAR, granted BOOLEAN, text_version VARCHAR,
    happened_at TIMESTAMP, hash UUID, source UINTEGER, trust UTINYINT);
CREATE TABLE order_entries (
    customer_key UINTEGER, app_key USMALLINT, order_id VARCHAR USING COMPRESSION uncompressed, kind VARCHAR,
    happened_at TIMESTAMP, placed_at TIMESTAMP, hash UUID, amount_micros BIGINT, currency VARCHAR, coupon VARCHAR,
    market VARCHAR, source UINTEGER, trust UTINYINT);
CREATE TABLE order_lines (
    app_key USMALLINT, order_id VARCHAR, hash UUID, line INTEGER, product_id VARCHAR, category VARCHAR, name VARCHAR,
    price_micros BIGINT, quantity DECIMAL(18, 6));
-- The rates in force: of each day and currency the entry put last (see `rate_entries`).
-- base = order * numerator / denominator: exact in either direction a rate is published in.
CREATE TABLE rates (day DATE, currency VARCHAR, numerator BIGINT, denominator BIGINT);
CREATE TABLE churn_scores (
    customer_key UINTEGER, app_key USMALLINT, predicted BOOLEAN, probability DOUBLE, happened_at TIMESTAMP);
CREATE TABLE device_ids (device_key UINTEGER, app_key USMALLINT, device_id VARCHAR);
CREATE TABLE device_sightings (
    device_key UINTEGER, customer_key UINTEGER, app_key USMALLINT, first_at TIMESTAMP, happened_at TIMESTAMP, hash UUID,
    device_family VARCHAR, os VARCHAR, os_version VARCHAR, os_version_key VARCHAR, app_version VARCHAR,
    app_version_key VARCHAR, device_model VARCHAR, locale VARCHAR, time_zone VARCHAR, source UINTEGER);
"""

# Whose facts are not derived yet from what was appended: a long import derives once, not with every chunk.
_STALE = """
CREATE OR REPLACE TABLE stale (customer_key UINTEGER);
CREATE OR REPLACE TABLE stale_orders (app_key USMALLINT, order_id VARCHAR USING COMPRESSION uncompressed);
"""

# Whose facts are not derived yet from what came alone: before anybody asks for facts they are (ADR 0027).
_LATE = """
CREATE OR REPLACE TABLE late (customer_key UINTEGER);
CREATE OR REPLACE TABLE late_orders (app_key USMALLINT, order_id VARCHAR);
"""

# Every rate that was put, with who put it: an import that is undone leaves the rates that were there before it.
_RATE_ENTRIES = """
CREATE TABLE rate_entries (
    day DATE, currency VARCHAR, numerator BIGINT, denominator BIGINT, source UINTEGER, number UINTEGER);
"""


# What retention took out of the events and the facts still count (C-33): sessions that went, by customer and app.
_USAGE_CARRY = """
CREATE TABLE usage_carry (
    customer_key UINTEGER, app_key USMALLINT, first_used_at TIMESTAMP, last_used_at TIMESTAMP, session_count INTEGER,
    engaged_seconds BIGINT);
"""


def duckdb_type(ibis_type: str) -> str:
    return _DUCKDB_TYPES[ibis_type]


def stored_table(name: str) -> str:
    """The table behind a relation."""
    return f"all_{name}" if name in _HIDDEN else name


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the tables in a new file, or brings those of an older version up to date; refuses a newer one."""
    version = version_in(connection)
    if version is None:
        _create(connection)
        return
    check_known(version)
    for number in range(version + 1, SCHEMA_VERSION + 1):
        connection.begin()
        try:
            MIGRATIONS[number](connection)
            set_meta(connection, "schema_version", str(number))
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def version_in(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The schema version of an open file; None of a new one."""
    found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE table_name = 'meta'").fetchall()
    return int(get_meta(connection, "schema_version") or 0) if found else None


def check_known(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise WarehouseTooNewError(
            worded(
                "The warehouse has schema version {version}, this Muster knows {known_version}. Install a"
                " newer Muster.",
                version=version,
                known_version=SCHEMA_VERSION,
            )
        )


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    for name, columns in ASKABLE.items():
        asked = ", ".join(
            f"{column} {_STORED.get((name, column), _DUCKDB_TYPES[kind])}" for column, kind in columns.items()
        )
        if name in _HIDDEN:
            connection.execute(f"CREATE TABLE {stored_table(name)} ({asked}, {_HIDDEN[name]})")
            connection.execute(f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {stored_table(name)}")
        else:
            connection.execute(f"CREATE TABLE {name} ({asked})")
    connection.execute(_DERIVED + _RAW + _STALE + _LATE + _RATE_ENTRIES + _USAGE_CARRY)
    set_meta(connection, "schema_version", str(SCHEMA_VERSION))
    connection.commit()


def forget_stale(connection: duckdb.DuckDBPyConnection) -> None:
    """Nobody is stale any more. The tables are made anew: their rows, deleted, would be written once more."""
    connection.execute(_STALE)


def forget_late(connection: duckdb.DuckDBPyConnection) -> None:
    """Nobody is late any more."""
    connection.execute(_LATE)


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall():
        connection.execute(f"DELETE FROM {table}")
    set_meta(connection, "schema_version", str(SCHEMA_VERSION))


def get_meta(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    rows = connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchall()
    return rows[0][0] if rows else None


def set_meta(connection: duckdb.DuckDBPyConnection, key: str, value: str | None) -> None:
    """None forgets it."""
    if value is None:
        connection.execute("DELETE FROM meta WHERE key = ?", [key])
        return
    [(changed,)] = connection.execute("UPDATE meta SET value = ? WHERE key = ?", [value, key]).fetchall()
    if not changed:
        connection.execute("INSERT INTO meta VALUES (?, ?)", [key, value])


def askable_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Columns (Ibis types) definitions may ask, per relation, with the custom ones that exist in the file."""
    rows = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE starts_with(column_name, 'c_')"
        " AND table_name IN ('profiles', 'app_facts') ORDER BY column_index"
    ).fetchall()
    relations = {name: dict(columns) for name, columns in ASKABLE.items()}
    for table, column, kind in rows:
        relations[table][column] = _IBIS_TYPES[kind]
    return relations


def ensure_columns(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Adds the columns of custom attributes that are not there yet. An attribute never changes its type here."""
    present = askable_columns(connection)
    for attribute in catalog.attributes.values():
        table = "app_facts" if attribute.scope is Scope.APP else "profiles"
        for column, ibis_type in custom_columns(attribute.column, attribute.type).items():
            known = present[table].get(column)
            if known is None:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {_DUCKDB_TYPES[ibis_type]}")
            elif known != ibis_type:
                raise InternalError(f"{table}.{column} is {known}; a new type needs a new number, not {ibis_type}")
