"""Finding customers and items by what the world calls them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator

import duckdb
import numpy as np
import pyarrow as pa

from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.duckdb.text_hash import is_one_of
from muster.warehouse.normal.emails import normal_email

IDENTITIES_AT_A_TIME = 100_000
_IDENTITY = "kind, app_key, text, customer_key"


def external_key(connection: duckdb.DuckDBPyConnection, text: str) -> int | None:
    normal = unicodedata.normalize("NFC", text)
    rows = connection.execute(
        f"SELECT customer_key FROM identities WHERE kind = 'external' AND text = ? AND {is_one_of([normal])}", [normal]
    ).fetchall()
    return int(rows[0][0]) if rows else None


def email_key(connection: duckdb.DuckDBPyConnection, address: str) -> int | None:
    """The lowest key whose verified address it is (C-10)."""
    normal = normal_email(address)
    if normal is None:
        return None
    [(key,)] = connection.execute(
        "SELECT min(customer_key) FROM emails WHERE verified AND normal = ?", [normal]
    ).fetchall()
    return None if key is None else int(key)


def email_holders(connection: duckdb.DuckDBPyConnection, address: str) -> dict[int, bool]:
    """Everybody who holds the address, by key: whether it is verified (C-10)."""
    normal = normal_email(address)
    if normal is None:
        return {}
    found = connection.execute(
        "SELECT customer_key, bool_or(verified) FROM emails WHERE normal = ? GROUP BY 1 ORDER BY 1", [normal]
    ).fetchall()
    return {int(key): bool(verified) for key, verified in found}


def anonymous_holders(connection: duckdb.DuckDBPyConnection, text: str) -> dict[int, list[int]]:
    """Numbers of the apps in which the anonymous id is somebody's, by customer."""
    found = connection.execute(
        "SELECT customer_key, list(app_key ORDER BY app_key) FROM identities"
        " WHERE kind = 'anonymous' AND text = nfc_normalize(?) GROUP BY 1 ORDER BY 1",
        [text],
    ).fetchall()
    return {int(key): list(apps) for key, apps in found}


def survivor(connection: duckdb.DuckDBPyConnection, key: int) -> int | None:
    """The customer a key stands for today, following merges (C-7); None if there is none."""
    for _ in range(100):
        rows = connection.execute("SELECT survivor FROM merges WHERE loser = ?", [key]).fetchall()
        if not rows:
            break
        key = int(rows[0][0])
    found = connection.execute("SELECT 1 FROM profiles WHERE customer_key = ?", [key]).fetchall()
    return key if found else None


def known_hashes(connection: duckdb.DuckDBPyConnection, hashes: pa.Array) -> pa.Array:
    """Which of the 16-byte hashes were taken before, in order."""
    uuids = pa.ExtensionArray.from_storage(pa.uuid(), hashes.cast(pa.binary(16)))
    return _there(connection, uuids, "SELECT hash AS name FROM event_ids")


def known_orders(connection: duckdb.DuckDBPyConnection, app_key: int, order_ids: pa.Array) -> pa.Array:
    return _there(connection, order_ids, f"SELECT order_id AS name FROM order_entries WHERE app_key = {int(app_key)}")


def known_external_ids(connection: duckdb.DuckDBPyConnection, ids: pa.Array) -> pa.Array:
    return _there(connection, ids, "SELECT text AS name FROM identities WHERE kind = 'external'")


def said_attributes(connection: duckdb.DuckDBPyConnection, keys: Collection[str]) -> set[str]:
    found = connection.execute(
        "SELECT DISTINCT attribute FROM traits WHERE attribute IN (SELECT unnest($keys))", {"keys": list(keys)}
    ).fetchall()
    return {str(key) for (key,) in found}


def seen_events(connection: duckdb.DuckDBPyConnection, numbers: Collection[int]) -> set[int]:
    found = connection.execute(
        "SELECT DISTINCT event FROM all_events WHERE event IN (SELECT unnest($numbers))", {"numbers": list(numbers)}
    ).fetchall()
    return {int(number) for (number,) in found}


def _there(connection: duckdb.DuckDBPyConnection, names: pa.Array, known: str) -> pa.Array:
    asked = pa.table({"position": pa.array(np.arange(len(names), dtype=np.uint32)), "name": names})
    with registered(connection, "asked_names", asked):
        table = connection.sql(
            f"SELECT a.position FROM asked_names a SEMI JOIN ({known}) k ON k.name = a.name"
        ).to_arrow_table()
    there = np.zeros(len(names), np.bool_)
    there[table.column("position").to_numpy()] = True
    return pa.array(there)


def identities(cursor: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    """Kind, app, text and customer of every identity."""
    query = f"SELECT {_IDENTITY} FROM identities"
    yield from cursor.sql(query).to_arrow_reader(IDENTITIES_AT_A_TIME)


def identities_of(connection: duckdb.DuckDBPyConnection, wanted: pa.Table) -> pa.Table:
    """Those of the wanted (kind, app_key, text) that are somebody's, as `identities`."""
    with registered(connection, "wanted", wanted):
        query = f"SELECT {_IDENTITY} FROM identities SEMI JOIN wanted USING (kind, app_key, text)"
        return connection.sql(query).to_arrow_table()


def identity_count(cursor: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = cursor.execute("SELECT count(*) FROM identities").fetchall()
    return int(count)
