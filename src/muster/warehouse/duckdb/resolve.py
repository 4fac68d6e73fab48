"""Gives every accepted item its customer, in bulk where only external ids stand, else one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import duckdb
import pyarrow as pa

from muster.warehouse.batch import Merge, Note
from muster.warehouse.duckdb.keys import highest_key, remember_highest_key
from muster.warehouse.duckdb.scratch import count_of, registered, temp_table
from muster.warehouse.duckdb.text_hash import OF_TEXT, text_hash
from muster.warehouse.resolver import Claim, Identity, Resolver

# What moves when one customer is merged into another: every raw row that names it.
RAW_WITH_CUSTOMER = (
    "sightings",
    "traits",
    "emails",
    "consents",
    "order_entries",
    "all_events",
    "touches",
    "device_sightings",
    "churn_scores",
    "usage_carry",
)

Identities = tuple[tuple[str, int, str, int], ...]
"""(kind, app or 0, text, customer key) of those that are new or now name another customer."""


def resolve_items(
    connection: duckdb.DuckDBPyConnection, received_at: datetime
) -> tuple[list[Merge], list[Note], Identities]:
    """Makes `resolved` (position, customer_key); items nobody stands behind are absent. New keys are given here."""
    mixed = count_of(
        connection,
        "SELECT count(*) FROM in_items WHERE verdict IS NULL AND (anonymous_id IS NOT NULL OR previous_id IS NOT NULL)",
    )
    if not mixed:
        return [], [], _resolve_external(connection, received_at)
    return _resolve_in_order(connection, received_at)


def _resolve_external(connection: duckdb.DuckDBPyConnection, received_at: datetime) -> Identities:
    first = highest_key(connection)
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE in_people AS
        WITH named AS (
            SELECT external_id AS text, min(position) AS position FROM in_items
            WHERE verdict IS NULL AND external_id IS NOT NULL GROUP BY 1),
        found AS (
            SELECT n.text, n.position, i.customer_key FROM named n
            LEFT JOIN identities i ON i.kind = 'external' AND i.text = n.text)
        SELECT text, position, customer_key IS NULL AS is_new, coalesce(customer_key, CAST(
            $first + row_number() OVER (PARTITION BY customer_key IS NULL ORDER BY position) AS UINTEGER))
            AS customer_key
        FROM found
        """,
        {"first": first},
    )
    connection.execute(
        "INSERT INTO identities SELECT 'external', 0, text, customer_key, customer_key, $at,"
        f" {OF_TEXT.format(text='text')} FROM in_people WHERE is_new ORDER BY position",
        {"at": received_at},
    )
    remember_highest_key(connection, count_of(connection, "SELECT max(customer_key) FROM in_people"))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE resolved AS SELECT i.position, p.customer_key"
        " FROM in_items i JOIN in_people p ON p.text = i.external_id WHERE i.verdict IS NULL"
    )
    return tuple(connection.execute("SELECT 'external', 0, text, customer_key FROM in_people WHERE is_new").fetchall())


def _resolve_in_order(
    connection: duckdb.DuckDBPyConnection, received_at: datetime
) -> tuple[list[Merge], list[Note], Identities]:
    rows = connection.execute(
        "SELECT position, app_key, external_id, anonymous_id, previous_id, trust FROM in_items"
        " WHERE verdict IS NULL AND (external_id IS NOT NULL OR anonymous_id IS NOT NULL) ORDER BY position"
    ).fetchall()
    claims = [(row[0], Claim(*row[1:])) for row in rows]
    resolver = _load(connection, {i for _, claim in claims for i in claim.identities()})
    keys: list[tuple[int, int]] = []
    notes: list[Note] = []
    for position, claim in claims:
        key, remark = resolver.resolve(claim)
        if remark:
            notes.append(Note(position, remark, refused=key == 0))
        if key:
            keys.append((position, key))
    _store(connection, resolver, received_at)
    positions = pa.array([position for position, _ in keys], pa.uint32())
    customers = pa.array([resolver.current(key) for _, key in keys], pa.uint32())
    temp_table(connection, "resolved", pa.table({"position": positions, "customer_key": customers}))
    merges = [Merge(loser, resolver.current(loser)) for loser in resolver.survivors]
    _merge(connection, merges, received_at)
    moved = {identity: resolver.current(key) for identity, key in resolver.attached.items()}
    if merges:
        moved |= _identities_of(connection, {merge.survivor for merge in merges})
    return merges, notes, tuple((*identity, key) for identity, key in moved.items())


def _identities_of(connection: duckdb.DuckDBPyConnection, keys: set[int]) -> dict[Identity, int]:
    """Of who survived a merge: some of them were somebody else's."""
    rows = connection.execute(
        "SELECT kind, app_key, text, customer_key FROM identities"
        f" WHERE customer_key IN ({', '.join(str(key) for key in sorted(keys))})"
    ).fetchall()
    return {Identity(kind, app, text): key for kind, app, text, key in rows}


def _load(connection: duckdb.DuckDBPyConnection, wanted: set[Identity]) -> Resolver:
    with registered(connection, "wanted_identities", _identity_table(wanted)):
        found = connection.execute(
            "SELECT kind, app_key, text, customer_key FROM identities SEMI JOIN wanted_identities USING (text_hash)"
        ).fetchall()
    named = {Identity(kind, app, text): key for kind, app, text, key in found}
    known = {identity: key for identity, key in named.items() if identity in wanted}
    people = pa.table({"customer_key": pa.array(sorted(set(known.values())), pa.uint32())})
    with registered(connection, "wanted_people", people):
        counts = connection.execute(
            "SELECT customer_key, count(*) FILTER (kind = 'external'), count(*) FILTER (kind = 'anonymous')"
            " FROM identities SEMI JOIN wanted_people USING (customer_key) GROUP BY 1"
        ).fetchall()
    return Resolver(
        next_key=highest_key(connection) + 1,
        known=known,
        identified={key for key, external, _ in counts if external},
        anonymous_counts={key: anonymous for key, _, anonymous in counts},
    )


def _store(connection: duckdb.DuckDBPyConnection, resolver: Resolver, received_at: datetime) -> None:
    """Writes the identities that are new or moved, before merges are applied to all rows alike."""
    attached = resolver.attached
    if attached:
        rows = _identity_table(attached)
        rows = rows.append_column("customer_key", pa.array(attached.values(), pa.uint32()))
        rows = rows.append_column("subject_of", pa.array([resolver.subjects.get(i) for i in attached], pa.uint32()))
        with registered(connection, "attached_identities", rows):
            connection.execute(
                "DELETE FROM identities i USING attached_identities a"
                " WHERE a.text_hash = i.text_hash AND a.text = i.text AND a.kind = i.kind AND a.app_key = i.app_key"
            )
            connection.execute(
                "INSERT INTO identities SELECT kind, app_key, text, customer_key, subject_of, $at, text_hash"
                " FROM attached_identities",
                {"at": received_at},
            )
    remember_highest_key(connection, resolver.next_key - 1)


def _merge(connection: duckdb.DuckDBPyConnection, merges: list[Merge], received_at: datetime) -> None:
    """Every row of the loser becomes the survivor's: as if it had always been one person (C-7)."""
    if not merges:
        return
    rows = pa.table(
        {
            "loser": pa.array([merge.loser for merge in merges], pa.uint32()),
            "survivor": pa.array([merge.survivor for merge in merges], pa.uint32()),
        }
    )
    with registered(connection, "new_merges", rows):
        for table in ("identities", *RAW_WITH_CUSTOMER):
            connection.execute(
                f"UPDATE {table} AS t SET customer_key = m.survivor FROM new_merges m WHERE t.customer_key = m.loser"
            )
        # Who was merged before into one that now loses has a new survivor too.
        connection.execute("UPDATE merges AS t SET survivor = m.survivor FROM new_merges m WHERE t.survivor = m.loser")
        connection.execute("INSERT INTO merges SELECT loser, survivor, $at FROM new_merges", {"at": received_at})


def _identity_table(identities: Iterable[Identity]) -> pa.Table:
    listed = list(identities)
    return pa.table(
        {
            "kind": pa.array([i.kind for i in listed], pa.string()),
            "app_key": pa.array([i.app for i in listed], pa.uint16()),
            "text": pa.array([i.text for i in listed], pa.string()),
            "text_hash": pa.array([text_hash(i.text) for i in listed], pa.uint32()),
        }
    )
