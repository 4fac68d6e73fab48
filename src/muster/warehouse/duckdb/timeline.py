"""What happened with one customer, newest first and piece by piece (customers spec, section 12)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.append import naive
from muster.warehouse.duckdb.occurrences import person_events_sql

ORDERS, SESSIONS, OTHERS = "orders", "sessions", "events"
KINDS = (OTHERS, ORDERS, SESSIONS)
_SESSION = STANDARD_EVENTS["session"].number
_COMMERCE = [event.number for event in STANDARD_EVENTS.values() if event.category == "commerce"]


@dataclass(frozen=True)
class Happening:
    """`place` orders what happened in the same instant; it is the same every time it is asked."""

    at: datetime
    place: str
    kind: str
    app: str
    event: str
    properties: Mapping[str, Any]


def happenings(
    connection: duckdb.DuckDBPyConnection,
    customer_key: int,
    catalog: Catalog,
    kinds: Collection[str],
    position: tuple[datetime, str] | None,
    limit: int,
    *,
    newer: bool = False,
) -> list[Happening]:
    """Up to `limit` before a position, newest first; `newer`: those after it, oldest first."""
    numbers = ", ".join(str(number) for number in _COMMERCE)
    wanted = {
        ORDERS: f"event IN ({numbers})",
        SESSIONS: f"event = {_SESSION}",
        OTHERS: f"event NOT IN ({numbers}, {_SESSION})",
    }
    condition = " OR ".join(wanted[kind] for kind in kinds) or "false"
    sign, order = (">", "ASC") if newer else ("<", "DESC")
    after = f"AND (happened_at, place) {sign} ($at, $place)" if position else ""
    # Of two order lines that say the same in the same instant each has a place of its own.
    rows = connection.execute(
        f"WITH mine AS ({person_events_sql(f'customer_key = {int(customer_key)}')}), placed AS ("
        " SELECT app_key, event, happened_at, props, lpad(CAST(event AS VARCHAR), 5, '0') || md5(place) || '.' ||"
        " lpad(CAST(row_number() OVER (PARTITION BY event, happened_at, place) AS VARCHAR), 6, '0') AS place FROM mine)"
        f" SELECT * FROM placed WHERE ({condition}) {after} ORDER BY happened_at {order}, place {order}"
        f" LIMIT {int(limit)}",
        {"at": naive(position[0]), "place": position[1]} if position else {},
    ).fetchall()
    events = {event.number: key for key, event in STANDARD_EVENTS.items()} | dict(catalog.event_keys)
    return [_happening(row, catalog, events) for row in rows]


def _happening(row: tuple[Any, ...], catalog: Catalog, events: Mapping[int, str]) -> Happening:
    app, event, happened_at, props, place = row
    sent = json.loads(props) if props else {}
    kind = SESSIONS if event == _SESSION else ORDERS if event in _COMMERCE else OTHERS
    return Happening(
        at=happened_at.replace(tzinfo=UTC),
        place=place,
        kind=kind,
        app=catalog.app_keys.get(app, str(app)),
        event=events.get(event, str(event)),
        properties={name: value for name, value in sent.items() if value is not None},
    )
