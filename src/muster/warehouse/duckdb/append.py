"""One append: take, resolve, store, derive; one transaction together with the cursors of who sent it (C-32)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
from pyroaring import BitMap

from muster.warehouse.batch import Batch, Merge, Note, Outcome
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb import intake
from muster.warehouse.duckdb.derive import derive_touched, leave_stale
from muster.warehouse.duckdb.erased import refuse_erased
from muster.warehouse.duckdb.keys import highest_key
from muster.warehouse.duckdb.rejects import keep_refused
from muster.warehouse.duckdb.resolve import Identities, resolve_items
from muster.warehouse.duckdb.schema import get_meta, set_meta
from muster.warehouse.duckdb.settings import install_settings
from muster.warehouse.duckdb.store import store_items
from muster.warehouse.ledger import ErasureLedger

Cursors = Mapping[str, Any]


def append_batch(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    cursors: Cursors,
    catalog: Catalog,
    *,
    derive: bool = True,
    ledger: ErasureLedger | None = None,
) -> Outcome:
    """Runs inside the writer's transaction: a crash repeats all of it and skips nothing."""
    before = highest_key(connection)
    install_settings(connection, catalog)
    with intake.received(connection, batch):
        merges, remarks, identities = _take(connection, batch, ledger)
        touched = _touched(connection, merges)
    if derive:
        # Whose a device is, is said by who was seen on it, and by who of them signed in.
        about_devices = bool(merges or identities) or "devices" in batch.parts
        touched = derive_touched(connection, catalog, touched, devices=about_devices)
    else:
        leave_stale(connection, touched)
    store_cursors(connection, cursors)
    remember_data_time(connection, batch.received_at)
    outcome = _outcome(connection, touched, merges, remarks, highest_key(connection) - before)
    return replace(outcome, identities=identities)


def _take(
    connection: duckdb.DuckDBPyConnection, batch: Batch, ledger: ErasureLedger | None
) -> tuple[list[Merge], list[Note], Identities]:
    """Stores what is taken of the received batch, and what is not."""
    received_at = naive(batch.received_at)
    connection.execute("UPDATE in_items SET happened_at = $at WHERE happened_at IS NULL", {"at": received_at})
    refuse_erased(connection, ledger)
    merges, remarks, identities = resolve_items(connection, received_at)
    _refuse(connection, remarks)
    store_items(connection, received_at, [name for name, rows in batch.parts.items() if rows.num_rows])
    keep_refused(connection, received_at, batch.tell)
    return merges, remarks, identities


def store_cursors(connection: duckdb.DuckDBPyConnection, cursors: Cursors) -> None:
    for name, position in cursors.items():
        connection.execute("DELETE FROM cursors WHERE name = ?", [name])
        connection.execute("INSERT INTO cursors VALUES (?, ?)", [name, json.dumps(position)])


def read_cursors(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in connection.execute("SELECT * FROM cursors").fetchall()}


def remember_data_time(connection: duckdb.DuckDBPyConnection, received_at: datetime) -> None:
    stamp = received_at.astimezone(UTC).isoformat(timespec="microseconds")
    newer = "UPDATE meta SET value = $stamp WHERE key = 'data_as_of' AND value < $stamp"
    [(changed,)] = connection.execute(newer, {"stamp": stamp}).fetchall()
    if not changed and get_meta(connection, "data_as_of") is None:
        set_meta(connection, "data_as_of", stamp)


def naive(instant: datetime) -> datetime:
    """The store's form: UTC without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def _refuse(connection: duckdb.DuckDBPyConnection, remarks: list[Note]) -> None:
    for note in remarks:
        if note.refused:
            connection.execute("UPDATE in_items SET verdict = ? WHERE position = ?", [note.code, note.item])


def _touched(connection: duckdb.DuckDBPyConnection, merges: list[Merge]) -> BitMap:
    """Customers and orders the items name, and both sides of every merge; `touched_orders` is made here."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE touched_orders AS SELECT t.app_key, o.order_id"
        " FROM in_orders o JOIN in_taken t ON t.position = o.item"
    )
    if merges:
        connection.execute(
            "INSERT INTO touched_orders SELECT app_key, order_id FROM order_entries"
            f" WHERE customer_key IN ({', '.join(str(merge.survivor) for merge in merges)})"
        )
    keys = connection.execute("SELECT DISTINCT customer_key FROM resolved").fetchnumpy()["customer_key"]
    touched = BitMap(keys)
    for merge in merges:
        touched.update((merge.loser, merge.survivor))
    return touched


def _outcome(
    connection: duckdb.DuckDBPyConnection, touched: BitMap, merges: list[Merge], remarks: list[Note], new: int
) -> Outcome:
    counts = dict(
        connection.execute("SELECT coalesce(verdict, 'accepted'), count(*) FROM in_items GROUP BY 1").fetchall()
    )
    refused = connection.execute(
        "SELECT position, verdict FROM in_items WHERE verdict IS NOT NULL ORDER BY position"
    ).fetchall()
    warned = connection.execute("SELECT DISTINCT position, code FROM in_warnings ORDER BY ALL").fetchall()
    notes = [Note(item, code, refused=True) for item, code in refused]
    notes += [Note(item, code, refused=False) for item, code in warned]
    notes += [note for note in remarks if not note.refused]
    warnings = Counter(note.code for note in notes if not note.refused)
    return Outcome(
        touched=touched,
        counts=counts,
        warnings=dict(warnings),
        notes=tuple(sorted(notes, key=lambda note: (note.item, note.code))),
        merges=tuple(merges),
        new_customers=new,
    )
