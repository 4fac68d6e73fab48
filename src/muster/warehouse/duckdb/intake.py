"""The first step of an append: which items of a batch are taken, which are refused, which came before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import duckdb
import pyarrow as pa

from muster.warehouse.batch import ITEMS, PARTS, Batch
from muster.warehouse.duckdb.properties import literal
from muster.warehouse.duckdb.scratch import in_small_batches, registered
from muster.warehouse.normal.ids import LONGEST_ID, PLACEHOLDERS

_PLACEHOLDERS = ", ".join(literal(word) for word in PLACEHOLDERS)


@contextmanager
def received(connection: duckdb.DuckDBPyConnection, batch: Batch) -> Iterator[None]:
    """Makes `in_items` (position, ids without placeholders, verdict or null) and, for a while, `in_<part>` of every
    part: nothing but the batch itself, which is read where it lies."""
    with ExitStack() as parts:
        for name, schema in PARTS.items():
            rows = batch.parts.get(name)
            complete = _complete(rows if rows is not None else schema.empty_table(), schema)
            parts.enter_context(registered(connection, f"in_{name}", in_small_batches(complete)))
        _take_items(connection, batch)
        yield


def _take_items(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    positions = pa.array(range(batch.items.num_rows), pa.uint32())
    items = _complete(batch.items, ITEMS).append_column("position", positions)
    hashes = items.column("hash").combine_chunks()
    if isinstance(hashes, pa.ChunkedArray):
        hashes = pa.concat_arrays(hashes.chunks) if hashes.num_chunks else pa.array([], pa.binary(16))
    uuids = pa.ExtensionArray.from_storage(pa.uuid(), hashes)
    items = items.set_column(items.schema.get_field_index("hash"), "hash", uuids)
    with registered(connection, "in_items_arrow", in_small_batches(items)):
        connection.execute(_ITEMS)
    connection.execute(_REFUSE)
    connection.execute(_REPEATED)


def _complete(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of the schema in its types; absent ones null."""
    arrays = [
        rows.column(field.name).cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def placeholder(column: str) -> str:
    """SQL: whether a text is what programs send when they have no id."""
    # Only what begins or ends with a blank is trimmed: blanks come before all signs that are seen.
    blank = f"{column} < '!' OR {column}[-1] < '!'"
    trimmed = f"CASE WHEN {blank} THEN trim({column}, E' \\t\\r\\n') ELSE {column} END"
    return f"lower({trimmed}) IN ({_PLACEHOLDERS})"


def _clean(column: str) -> str:
    """An id in NFC, or null if it is a placeholder or too long to be one."""
    return (
        f"CASE WHEN {placeholder(column)} OR length({column}) > {LONGEST_ID} THEN NULL ELSE nfc_normalize({column}) END"
    )


_ITEMS = f"""
CREATE OR REPLACE TEMP TABLE in_items AS
WITH cleaned AS (
    SELECT *, {_clean("external_id")} AS external, {_clean("anonymous_id")} AS anonymous,
        {_clean("previous_id")} AS previous
    FROM in_items_arrow)
SELECT position, coalesce(app_key, 0) AS app_key, external AS external_id,
    CASE WHEN coalesce(app_key, 0) > 0 THEN anonymous END AS anonymous_id, previous AS previous_id,
    (external_id IS NOT NULL AND external IS NULL) OR (anonymous_id IS NOT NULL AND anonymous IS NULL) AS placeholder,
    happened_at, hash, coalesce(trust, 0) AS trust, coalesce(source, 0) AS source, body,
    verdict, place, nth
FROM cleaned
"""

# Only what takes an order back may come without a customer: the order knows whose it is.
_REFUSE = """
UPDATE in_items AS i SET verdict = CASE
    WHEN i.app_key = 0 AND (i.position IN (SELECT item FROM in_orders) OR i.position IN (SELECT item FROM in_events))
        THEN 'app_missing'
    WHEN i.external_id IS NULL AND i.anonymous_id IS NULL AND i.placeholder THEN 'identity_placeholder'
    WHEN i.external_id IS NULL AND i.anonymous_id IS NULL AND NOT EXISTS (
        SELECT 1 FROM in_orders o WHERE o.item = i.position AND o.kind <> 'completed') THEN 'identity_missing'
    WHEN i.external_id IS NOT NULL AND i.trust = 0 AND EXISTS (
        SELECT 1 FROM set_app s WHERE s.app_key = i.app_key AND s.signed) THEN 'signed_customer_required'
    END
WHERE i.verdict IS NULL AND (i.external_id IS NULL OR i.trust = 0 OR i.app_key = 0)
"""

# First accepted wins (C-19).
_REPEATED = """
UPDATE in_items SET verdict = 'duplicate' WHERE verdict IS NULL AND position IN (
    SELECT i.position FROM in_items i SEMI JOIN event_ids e ON e.hash = i.hash WHERE i.verdict IS NULL
    UNION ALL
    SELECT position FROM in_items WHERE verdict IS NULL
    QUALIFY row_number() OVER (PARTITION BY hash ORDER BY position) > 1)
"""
