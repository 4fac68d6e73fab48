"""Counts over everybody: who has an app, what happens in it, what another type of an attribute could not hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import duckdb

from muster.rules.vocabulary import Type
from muster.warehouse.duckdb.occurrences import person_events_sql
from muster.warehouse.normal.values import attribute_value

_ROWS_AT_ONCE = 10_000


def app_figures(connection: duckdb.DuckDBPyConnection) -> dict[int, tuple[int, datetime | None]]:
    """By the number of an app: how many customers have it, and its newest use."""
    found = connection.execute(
        "SELECT app_key, count(*) FILTER (acquired_at IS NOT NULL), max(last_used_at) FROM app_facts GROUP BY 1"
    ).fetchall()
    return {app: (count, _aware(last)) for app, count, last in found}


def event_figures(connection: duckdb.DuckDBPyConnection, app_key: int) -> dict[int, tuple[int, datetime]]:
    """By the number of an event: how often it happened in the app, and when last; what orders tell is counted too."""
    happened = person_events_sql(f"app_key = {int(app_key)}")
    found = connection.execute(f"SELECT event, count(*), max(happened_at) FROM ({happened}) GROUP BY 1").fetchall()
    return {event: (count, last.replace(tzinfo=UTC)) for event, count, last in found if last is not None}


def values_lost(connection: duckdb.DuckDBPyConnection, attribute: str, old: Type, new: Type) -> int:
    """How many customers have a value of the one type that is none of the other (C-3)."""
    rows = connection.execute(_NEWEST, {"attribute": attribute})
    lost = 0
    while found := rows.fetchmany(_ROWS_AT_ONCE):
        lost += sum(count for value, count in found if _loses(json.loads(value), old, new))
    return lost


_NEWEST = """
WITH newest AS (
    SELECT value FROM traits WHERE attribute = $attribute
    QUALIFY row_number() OVER (PARTITION BY customer_key, app_key ORDER BY happened_at DESC, hash DESC, value DESC) = 1)
SELECT value, count(*) FROM newest GROUP BY value
"""


def _loses(value: Any, old: Type, new: Type) -> bool:
    return attribute_value(value, old) is not None and attribute_value(value, new) is None


def _aware(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant is not None else None
