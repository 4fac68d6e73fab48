"""Takes people out of the warehouse: who they are, every row of theirs, and how many rows are left (C-45)."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.derive import rederive_keys
from muster.warehouse.duckdb.rejects import forget_requests
from muster.warehouse.duckdb.schema import set_meta
from muster.warehouse.duckdb.scratch import count_of, registered, temp_table
from muster.warehouse.duckdb.settings import install_settings
from muster.warehouse.errors import SubjectWidenedError
from muster.warehouse.subject import Subject

RAW = (
    "identities", "sightings", "traits", "emails", "consents", "all_events", "touches", "device_sightings",
    "churn_scores", "usage_carry", "stale", "late",
)  # fmt: skip  # a table, read by rows
"""Raw tables whose rows say by `customer_key` whose they are; orders are erased apart."""
DERIVED = (
    "profiles",
    "app_facts",
    "holdings",
    "devices",
    "all_orders",
    "all_sessions",
    "purchases",
    "acquisitions",
)
BY_NAME = (
    "order_entries",
    "order_lines",
    "stale_orders",
    "late_orders",
    "device_ids",
    "merges",
    "event_ids",
    "rejects",
    "reject_requests",
)
"""Tables whose rows are found over others: an order's, a device's, an item's."""
IMPERSONAL = ("meta", "cursors", "sources", "rates", "rate_entries")
SCRUB_DUE = "scrub_due"
"""In `meta`: since when bytes of what was erased may still lie in the file."""


def subject_of(connection: duckdb.DuckDBPyConnection, keys: BitMap) -> Subject:
    """Everything these customers are known by; keys that were merged stand for the same people as their survivors."""
    whole = _closed(connection, keys)
    _ask(connection, whole)
    ids = connection.execute(
        "SELECT kind, app_key, text FROM identities SEMI JOIN asked_people USING (customer_key) ORDER BY ALL"
    ).fetchall()
    addresses = connection.execute(_ADDRESSES).fetchall()
    written = connection.execute(
        f"SELECT DISTINCT address FROM emails SEMI JOIN asked_people USING (customer_key)"
        f" WHERE address <> normal AND normal IN (SELECT normal FROM ({_ADDRESSES})) ORDER BY 1"
    ).fetchall()
    sources = connection.execute(_SOURCES).fetchall()
    return Subject(
        keys=whole,
        external_ids=tuple(text for kind, _, text in ids if kind == "external"),
        anonymous_ids=tuple((app, text) for kind, app, text in ids if kind == "anonymous"),
        addresses=tuple(normal for (normal,) in addresses),
        written=tuple(text for (text,) in written),
        sources=tuple(source for (source,) in sources),
    )


# Addresses that nobody else is verified to have.
_ADDRESSES = """
SELECT DISTINCT normal FROM emails e SEMI JOIN asked_people USING (customer_key)
WHERE NOT EXISTS (SELECT 1 FROM emails o WHERE o.normal = e.normal AND o.verified
    AND o.customer_key NOT IN (SELECT customer_key FROM asked_people)) ORDER BY 1
"""
_SOURCES = " UNION ".join(
    f"SELECT source FROM {table} SEMI JOIN asked_people USING (customer_key) WHERE source > 0"
    for table in ("sightings", "traits", "emails", "consents", "all_events", "order_entries")
)


def _closed(connection: duckdb.DuckDBPyConnection, keys: BitMap) -> BitMap:
    """With the survivors of these keys and all that were merged into them."""
    whole = BitMap(keys)
    while True:
        _ask(connection, whole)
        found = connection.execute(
            "SELECT survivor AS customer_key FROM merges SEMI JOIN asked_people a ON a.customer_key = loser"
            " UNION SELECT loser FROM merges SEMI JOIN asked_people a ON a.customer_key = survivor"
        ).fetchnumpy()["customer_key"]
        wider = whole | BitMap(np.asarray(found, np.uint32))
        if wider == whole:
            return whole
        whole = wider


def _ask(connection: duckdb.DuckDBPyConnection, keys: BitMap) -> None:
    temp_table(connection, "asked_people", pa.table({"customer_key": pa.array(np.array(keys, dtype=np.uint32))}))


def erase_customers(
    connection: duckdb.DuckDBPyConnection, subject: Subject, catalog: Catalog, since: str
) -> tuple[dict[str, int], BitMap]:
    """Removes every row of theirs and derives again what they shared with others.

    Answers the rows removed by relation and everybody whose rows may have changed. `since`: the instant, remembered
    until the file is scrubbed. Their keys are never given again. `SubjectWidenedError` where they were merged with
    somebody since they were named: what is theirs is that customer's by now.
    """
    if _closed(connection, subject.keys) != subject.keys:
        raise SubjectWidenedError("Somebody was merged with one of them meanwhile. Name them again.")
    install_settings(connection, catalog)
    _ask(connection, subject.keys)
    removed = {table: _rows_of(connection, table) for table in DERIVED}
    removed |= _erase_items(connection)
    removed |= _erase_orders(connection)
    for table in RAW:
        removed[table] = _delete(connection, f"{table} WHERE customer_key IN (SELECT customer_key FROM asked_people)")
    removed |= _erase_rejects(connection, subject)
    removed["merges"] = _delete(
        connection,
        "merges WHERE loser IN (SELECT customer_key FROM asked_people)"
        " OR survivor IN (SELECT customer_key FROM asked_people)",
    )
    touched = rederive_keys(connection, catalog, subject.keys)
    removed["device_ids"] = _delete(connection, f"device_ids WHERE {NEVER_SEEN}")
    if any(removed.values()):
        set_meta(connection, SCRUB_DUE, since)
    _forget_scratch(connection)
    return {table: count for table, count in removed.items() if count}, touched


def _forget_scratch(connection: duckdb.DuckDBPyConnection) -> None:
    """What appends and derivations left in this connection's memory, which may be spilled to the disk."""
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    for (table,) in rows:
        connection.execute(f"DROP TABLE temp.{table}")


# What nobody's row points to any more; undoing an import takes such devices out, too.
NEVER_SEEN = "NOT EXISTS (SELECT 1 FROM device_sightings s WHERE s.device_key = device_ids.device_key)"
_NO_ENTRY = """NOT EXISTS (SELECT 1 FROM order_entries e WHERE e.app_key = order_lines.app_key
    AND e.order_id = order_lines.order_id AND e.hash = order_lines.hash)"""


def count_customers(connection: duckdb.DuckDBPyConnection, subject: Subject) -> dict[str, int]:
    """Rows of theirs by relation; nobody's rows are none. Lines and devices nobody's entry names count as theirs."""
    _ask(connection, subject.keys)
    counts = {table: _rows_of(connection, table) for table in (*RAW, *DERIVED, "order_entries")}
    counts["event_ids"] = count_of(connection, f"SELECT count(*) FROM event_ids WHERE hash IN ({_HASHES})")
    counts["order_lines"] = count_of(connection, f"SELECT count(*) FROM order_lines WHERE {_NO_ENTRY}")
    counts["device_ids"] = count_of(connection, f"SELECT count(*) FROM device_ids WHERE {NEVER_SEEN}")
    counts["merges"] = count_of(
        connection,
        "SELECT count(*) FROM merges WHERE loser IN (SELECT customer_key FROM asked_people)"
        " OR survivor IN (SELECT customer_key FROM asked_people)",
    )
    with registered(connection, "asked_texts", _spellings(subject)):
        counts["rejects"] = count_of(connection, f"SELECT count(*) FROM rejects WHERE {_NAMING}")
        counts["reject_requests"] = count_of(connection, f"SELECT count(*) FROM reject_requests WHERE {_TOLD_NAMING}")
    return {table: count for table, count in counts.items() if count}


def _rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return count_of(connection, f"SELECT count(*) FROM {table} SEMI JOIN asked_people USING (customer_key)")


def _delete(connection: duckdb.DuckDBPyConnection, what: str) -> int:
    [(count,)] = connection.execute(f"DELETE FROM {what}").fetchall()
    return int(count)


_HASHES = " UNION ".join(
    f"SELECT hash FROM {table} SEMI JOIN asked_people USING (customer_key)"
    for table in ("traits", "emails", "consents", "all_events", "touches", "device_sightings", "order_entries")
)


def _erase_items(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The hashes by which repetitions are known, as far as rows say whose they are."""
    return {"event_ids": _delete(connection, f"event_ids WHERE hash IN ({_HASHES})")}


# An order is theirs whole if nobody else is named by its entries; of a shared one only their own entries go.
_ORDERS = """
CREATE OR REPLACE TEMP TABLE erased_orders AS
SELECT app_key, order_id FROM order_entries
SEMI JOIN (SELECT DISTINCT app_key, order_id FROM order_entries SEMI JOIN asked_people USING (customer_key)) m
    USING (app_key, order_id)
GROUP BY ALL HAVING bool_and(customer_key IS NULL OR customer_key IN (SELECT customer_key FROM asked_people));
CREATE OR REPLACE TEMP TABLE erased_entries AS
SELECT app_key, order_id, hash FROM order_entries SEMI JOIN asked_people USING (customer_key)
UNION SELECT app_key, order_id, hash FROM order_entries SEMI JOIN erased_orders USING (app_key, order_id)
"""


def _erase_orders(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    connection.execute(_ORDERS)
    theirs = "e WHERE t.app_key = e.app_key AND t.order_id = e.order_id"
    waiting = ("stale_orders", "late_orders")
    removed = {table: _delete(connection, f"{table} t USING erased_orders {theirs}") for table in waiting}
    # The orders themselves are found by who had them when they are derived again: a shared one finds its other owner.
    removed["order_entries"] = _delete(connection, f"order_entries t USING erased_entries {theirs} AND t.hash = e.hash")
    removed["order_lines"] = _delete(connection, f"order_lines WHERE {_NO_ENTRY}")
    connection.execute("DROP TABLE erased_entries")
    connection.execute("DROP TABLE erased_orders")
    return removed


# What was refused stands as it was sent: their names are looked for in it, as JSON writes them without blanks and
# without signs for letters that need none.
_ITEM = "CASE WHEN json_valid(item) THEN CAST(json(item) AS VARCHAR) ELSE item END"
_NAMES = "EXISTS (SELECT 1 FROM asked_texts a WHERE contains(lower({text}), a.text))"
_TOLD_NAMING = _NAMES.format(text="told")
# What was said of all messages of its request is said of each.
_NAMING = f"({_NAMES.format(text=_ITEM)} OR place IN (SELECT place FROM reject_requests WHERE {_TOLD_NAMING}))"


def _spellings(subject: Subject) -> pa.Table:
    """Ids as whole texts or numbers of JSON: `u1` is in the name of many; addresses wherever they stand."""
    ids = {text for kind, _, text in subject.names() if kind != "email"}
    found = {json.dumps(text, ensure_ascii=ascii_only) for text in ids for ascii_only in (True, False)}
    found |= {f":{text}{end}" for text in ids if text.isdecimal() for end in (",", "}", "]")}
    for text in (*subject.addresses, *subject.written):
        found |= {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return pa.table({"text": pa.array(sorted({text.lower() for text in found}), pa.string())})


def _erase_rejects(connection: duckdb.DuckDBPyConnection, subject: Subject) -> dict[str, int]:
    with registered(connection, "asked_texts", _spellings(subject)):
        items = _delete(connection, f"rejects WHERE {_NAMING}")
    return {"rejects": items, "reject_requests": forget_requests(connection)}


def refused_naming(connection: duckdb.DuckDBPyConnection, subject: Subject) -> tuple[int, ...]:
    """The numbers of what was refused and names them somewhere."""
    with registered(connection, "asked_texts", _spellings(subject)):
        rows = connection.execute(f"SELECT number FROM rejects WHERE {_NAMING} ORDER BY number").fetchall()
    return tuple(number for (number,) in rows)
