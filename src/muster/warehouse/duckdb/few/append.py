"""An append of a few items: the rows that `append` would write, in a dozen small statements instead of a hundred.

An event that comes alone is in the warehouse within milliseconds. What it means for the facts is left `late`: derived
before anybody asks for facts, or when nothing else is to be done (ADR 0027).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb
from pyroaring import BitMap

from muster.warehouse.batch import Note, Outcome, Tell
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.append import Cursors, naive, remember_data_time
from muster.warehouse.duckdb.few.judging import Judgement, judge
from muster.warehouse.duckdb.few.lookup import device_keys
from muster.warehouse.duckdb.few.saying import Row, Sayings, device_place
from muster.warehouse.duckdb.keys import remember_highest_key
from muster.warehouse.duckdb.rejects import keep_requests, next_numbers
from muster.warehouse.duckdb.said_rows import Tables
from muster.warehouse.duckdb.text_hash import text_hash
from muster.warehouse.items import Item
from muster.warehouse.ledger import ErasureLedger

MOST_ITEMS = 32
"""Beyond so many, one statement for all is cheaper than their rows one by one."""

# What is not stored as it is sent.
_CAST: Mapping[tuple[str, str], str] = {("all_events", "props"): "CAST(CAST(? AS JSON) AS VARIANT)"}


def append_few(
    connection: duckdb.DuckDBPyConnection,
    items: Sequence[Item],
    received_at: datetime,
    cursors: Cursors,
    catalog: Catalog,
    ledger: ErasureLedger | None,
    tell: Tell | None = None,
) -> tuple[Outcome, Tables] | None:
    """What became of them, and the rows that say it by table; None, and nothing written, if these items merge people or
    move ids from one to another."""
    judgement = judge(connection, items, catalog, ledger)
    if not judgement.is_plain:
        return None
    devices = _device_keys(connection, judgement)
    sayings = Sayings(catalog, received_at, devices)
    sayings.take(judgement.taken)
    names = _attach(connection, judgement, naive(received_at))
    for table, rows in sayings.rows.items():
        _insert(connection, table, rows)
    _keep_rejects(connection, judgement, naive(received_at), tell)
    touched = BitMap(one.key for one in judgement.taken if one.key is not None)
    _leave_late(connection, judgement, touched)
    _move_cursors(connection, cursors)
    remember_data_time(connection, received_at)
    return _outcome(judgement, sayings, touched), {**sayings.rows, "identities": names}


def _attach(connection: duckdb.DuckDBPyConnection, judgement: Judgement, at: datetime) -> list[Row]:
    resolver = judgement.resolver
    names: list[Row] = [
        {
            "kind": identity.kind,
            "app_key": identity.app,
            "text": identity.text,
            "customer_key": key,
            "subject_of": resolver.subjects.get(identity),
            "since": at,
            "text_hash": text_hash(identity.text),
        }
        for identity, key in resolver.attached.items()
    ]
    if names:
        _insert(connection, "identities", names)
        remember_highest_key(connection, resolver.next_key - 1)
    return names


def _device_keys(connection: duckdb.DuckDBPyConnection, judgement: Judgement) -> dict[tuple[int, str], int]:
    """Those of the items' devices; new ones get theirs."""
    places = dict.fromkeys(
        place for one in judgement.taken if one.key is not None and (place := device_place(one)) is not None
    )
    if not places:
        return {}
    known = device_keys(connection, places)
    new = [place for place in places if place not in known]
    if new:
        [(highest,)] = connection.execute("SELECT coalesce(max(device_key), 0) FROM device_ids").fetchall()
        known |= {place: highest + number for number, place in enumerate(new, start=1)}
        _insert(
            connection,
            "device_ids",
            [{"device_key": known[place], "app_key": place[0], "device_id": place[1]} for place in new],
        )
    return known


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    names = list(rows[0])
    marks = ", ".join(_CAST.get((table, name), "?") for name in names)
    values = ", ".join([f"({marks})"] * len(rows))
    connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES {values}", [row[name] for row in rows for name in names]
    )


def _keep_rejects(connection: duckdb.DuckDBPyConnection, judgement: Judgement, at: datetime, tell: Tell | None) -> None:
    """With what was sent, unless that is of somebody who was erased."""
    refused = [one for one in judgement.judged if one.verdict not in (None, "duplicate")]
    if refused:
        numbers = next_numbers(connection, len(refused))
        _insert(
            connection,
            "rejects",
            [
                {
                    "hash": one.hash,
                    "code": one.verdict,
                    "app_key": one.item.app,
                    "source": one.item.source,
                    "received_at": at,
                    "happened_at": naive(one.item.happened_at),
                    "item": one.item.body if one.verdict != "erased" else None,
                    "number": number,
                    "place": one.item.place if one.verdict != "erased" else None,
                    "nth": one.item.nth,
                }
                for number, one in zip(numbers, refused, strict=True)
            ],
        )
        sent = {one.item.place for one in refused if one.verdict != "erased" and one.item.place is not None}
        keep_requests(connection, sent, tell)


def _leave_late(connection: duckdb.DuckDBPyConnection, judgement: Judgement, touched: BitMap) -> None:
    if touched:
        _insert(connection, "late", [{"customer_key": key} for key in touched])
    # Of whoever is late every order is derived; those that are taken back by nobody are late by themselves.
    unowned = (one.item for one in judgement.taken if one.key is None)
    orders = {(item.app, item.order.order_id) for item in unowned if item.order}
    if orders:
        _insert(connection, "late_orders", [{"app_key": app, "order_id": order} for app, order in sorted(orders)])


def _move_cursors(connection: duckdb.DuckDBPyConnection, cursors: Cursors) -> None:
    for name, position in cursors.items():
        told = json.dumps(position)
        [(moved,)] = connection.execute("UPDATE cursors SET position = ? WHERE name = ?", [told, name]).fetchall()
        if not moved:
            connection.execute("INSERT INTO cursors VALUES (?, ?)", [name, told])


def _outcome(judgement: Judgement, sayings: Sayings, touched: BitMap) -> Outcome:
    notes = [Note(one.position, one.verdict, refused=True) for one in judgement.judged if one.verdict is not None]
    warned = [Note(position, code, refused=False) for position, code in sayings.warnings]
    warned += [note for note in judgement.remarks if not note.refused]
    resolver = judgement.resolver
    return Outcome(
        touched=touched,
        counts=dict(Counter(one.verdict or "accepted" for one in judgement.judged)),
        warnings=dict(Counter(note.code for note in warned)),
        notes=tuple(sorted(notes + warned, key=lambda note: (note.item, note.code))),
        new_customers=len(set(resolver.attached.values()) - set(resolver.loaded.values())),
        identities=tuple((*identity, key) for identity, key in resolver.attached.items()),
    )
