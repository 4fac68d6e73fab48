"""What the erasure ledger says of items: those from before an erasure are refused, those after it are new (C-47)."""

from __future__ import annotations

from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.ledger import ErasureLedger
from muster.warehouse.normal.emails import normal_email

_MARK = "sha256($outer || unhex(sha256($inner || encode(name))))"

# `said` (position, happened_at, name): every distinct name is hashed once.
_FOUND = f"""
WITH marked AS (SELECT name, {_MARK} AS mark FROM (SELECT DISTINCT name FROM said)),
known AS (SELECT name, erased_at FROM marked JOIN ledger_marks USING (mark))
SELECT DISTINCT position FROM said JOIN known USING (name) WHERE happened_at <= erased_at
"""

_IDS = """
SELECT position, happened_at, 'external' || chr(31) || '0' || chr(31) || {external} AS name FROM {items}
UNION ALL
SELECT position, happened_at, 'anonymous' || chr(31) || app_key || chr(31) || {anonymous} FROM {items}
"""
# Somebody else may share an address: it only speaks of who is not known by an id.
_ADDRESSES = """
SELECT position, happened_at, 'email' || chr(31) || '0' || chr(31) || n.normal FROM {items} i
JOIN normal_addresses n ON n.text = i.address
WHERE NOT EXISTS (SELECT 1 FROM identities k WHERE k.text = coalesce(i.external_id, i.anonymous_id)
    AND (k.kind = 'external' OR k.app_key = i.app_key))
"""


def refuse_erased(connection: duckdb.DuckDBPyConnection, ledger: ErasureLedger | None) -> None:
    """Gives the items of `in_items` that are from before their person's erasure the verdict `erased`."""
    if not ledger:
        return
    connection.execute(_TAKEN)
    positions = _positions(connection, ledger, "erasure_items")
    connection.execute("DROP TABLE erasure_items")
    with registered(connection, "erased_positions", pa.table({"position": pa.array(positions, pa.uint32())})):
        connection.execute(
            "UPDATE in_items SET verdict = 'erased' WHERE position IN (SELECT position FROM erased_positions)"
        )


_TAKEN = """
CREATE OR REPLACE TEMP TABLE erasure_items AS
WITH addresses AS (
    SELECT item AS position, trim(address) AS address FROM in_emails UNION ALL
    SELECT item, trim(CAST(value AS JSON)->>'$') FROM in_traits
    WHERE attribute = 'email' AND json_type(CAST(value AS JSON)) = 'VARCHAR'),
named AS (SELECT position, app_key, happened_at, external_id, anonymous_id, previous_id FROM in_items
    WHERE verdict IS NULL)
SELECT n.* EXCLUDE (previous_id), a.address FROM named n LEFT JOIN addresses a USING (position)
UNION ALL
SELECT position, app_key, happened_at, previous_id, previous_id, NULL FROM named WHERE previous_id IS NOT NULL
"""


def erased_rows(
    connection: duckdb.DuckDBPyConnection, ledger: ErasureLedger, app_key: int, rows: pa.Table, said_at: datetime
) -> pa.Array:
    """A boolean for each row of an import: `rows` has external_id, and where it is known anonymous_id, email and
    happened_at. `said_at`: when rows without a time were said."""
    said = pa.scalar(said_at.replace(tzinfo=None), pa.timestamp("us"))
    count = rows.num_rows

    def column(name: str, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
        return rows.column(name) if name in rows.column_names else pa.nulls(count, kind)

    asked = pa.table(
        {
            "position": pa.array(np.arange(count, dtype=np.uint32)),
            "app_key": pa.array(np.full(count, app_key, np.uint16)),
            "happened_at": column("happened_at", pa.timestamp("us")).fill_null(said),
            "external_id": column("external_id", pa.string()),
            "anonymous_id": column("anonymous_id", pa.string()),
            "address": column("email", pa.string()),
        }
    )
    there = np.zeros(count, np.bool_)
    with registered(connection, "asked_items", asked):
        there[_positions(connection, ledger, "asked_items")] = True
    return pa.array(there)


def erased_people(connection: duckdb.DuckDBPyConnection, ledger: ErasureLedger) -> dict[datetime, BitMap]:
    """Who is there although the ledger has them erased, by the instant of the erasure: after an older backup was put
    back. Who came back by themselves has been known since later."""
    inner, outer = ledger.pads
    with registered(connection, "ledger_marks", ledger.table()):
        found = connection.execute(
            f"""
            WITH said AS (SELECT DISTINCT customer_key, since, kind || chr(31) || app_key || chr(31) || text AS name
                FROM identities),
            marked AS (SELECT customer_key, since, {_MARK} AS mark FROM said)
            SELECT customer_key, max(erased_at) FROM marked JOIN ledger_marks USING (mark)
            WHERE since <= erased_at GROUP BY customer_key
            """,
            {"inner": inner, "outer": outer},
        ).fetchall()
    people: dict[datetime, BitMap] = {}
    for key, at in found:
        people.setdefault(at, BitMap()).add(key)
    return people


def _positions(connection: duckdb.DuckDBPyConnection, ledger: ErasureLedger, items: str) -> list[int]:
    texts = connection.execute(f"SELECT DISTINCT address FROM {items} WHERE address IS NOT NULL").fetchall()
    normal = pa.table(
        {
            "text": pa.array([text for (text,) in texts], pa.string()),
            "normal": pa.array([normal_email(text) for (text,) in texts], pa.string()),
        }
    )
    ids = _IDS.format(items=items, external="external_id", anonymous="anonymous_id")
    inner, outer = ledger.pads
    with (
        registered(connection, "normal_addresses", normal),
        registered(connection, "ledger_marks", ledger.table()),
    ):
        found = connection.execute(
            f"WITH said AS (SELECT * FROM ({ids} UNION ALL {_ADDRESSES.format(items=items)}) WHERE name IS NOT NULL)"
            f" SELECT * FROM ({_FOUND})",
            {"inner": inner, "outer": outer},
        ).fetchall()
    return [int(position) for (position,) in found]
