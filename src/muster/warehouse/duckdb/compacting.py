"""Puts rows back in the order of customers (C-27, C-28), some customers after the others, while everything goes on.

What is written at any time lies at the end of its table: a look for one customer reads ever more of it. Each step takes
the rows of a stretch of customers out and puts them in again, sorted: when all have had their turn, whole tables are
in order, and what they left behind holds no rows any more and is dropped with the next checkpoint (ADR 0028).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from muster.warehouse.duckdb.keys import highest_key
from muster.warehouse.duckdb.schema import get_meta, set_meta
from muster.warehouse.duckdb.scratch import count_of

# Long enough to be worth a transaction, short enough that nobody who writes waits for it: some 0.3 s.
ROWS_A_STEP = 400_000
UNSORTED = "unsorted"
"""In `meta`: how many customers' rows were written since everything was in order, counted each time."""
_PLACE = "compacted_to"
# C-27: of all customers, or so many.
_SHARE, _MOST = 0.05, 1_000_000
_FEWEST = 1_000

_BY_CUSTOMER = "SELECT * FROM stretch ORDER BY customer_key"

# What makes the rows of a stretch anew. Of what somebody was seen as, every cycle leaves a row: one a source will do.
_REWRITTEN: Mapping[str, str] = {
    "profiles": _BY_CUSTOMER,
    "app_facts": "SELECT * FROM stretch ORDER BY customer_key, app_key",
    "holdings": _BY_CUSTOMER,
    "devices": _BY_CUSTOMER,
    "all_orders": "SELECT * FROM stretch ORDER BY customer_key, happened_at",
    "purchases": "SELECT * FROM stretch ORDER BY customer_key, happened_at",
    "acquisitions": "SELECT * FROM stretch ORDER BY customer_key, happened_at",
    "all_sessions": "SELECT * FROM stretch ORDER BY customer_key, started_at",
    "all_events": "SELECT * FROM stretch ORDER BY event, customer_key, happened_at",
    "touches": "SELECT * FROM stretch ORDER BY customer_key, happened_at",
    "traits": "SELECT * FROM stretch ORDER BY customer_key, happened_at",
    "emails": _BY_CUSTOMER,
    "consents": _BY_CUSTOMER,
    "order_entries": "SELECT * FROM stretch ORDER BY customer_key, happened_at",
    "sightings": "SELECT customer_key, app_key, min(first_at) AS first_at, max(last_at) AS last_at, source FROM stretch"
    " GROUP BY ALL ORDER BY customer_key",
    "device_sightings": "SELECT * REPLACE (min(first_at) OVER same AS first_at) FROM stretch"
    " WINDOW same AS (PARTITION BY device_key, customer_key, app_key, device_family, os, os_version, os_version_key,"
    " app_version, app_version_key, device_model, locale, time_zone, source)"
    " QUALIFY row_number() OVER (PARTITION BY device_key, customer_key, app_key, device_family, os, os_version,"
    " os_version_key, app_version, app_version_key, device_model, locale, time_zone, source"
    " ORDER BY happened_at DESC, hash DESC) = 1 ORDER BY customer_key",
}


def note_unsorted(connection: duckdb.DuckDBPyConnection, customers: int) -> None:
    if customers:
        set_meta(connection, UNSORTED, str(_unsorted(connection) + customers))


def is_due(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there is enough to put in order, or it is under way."""
    if get_meta(connection, _PLACE) is not None:
        return True
    worth = max(min(_SHARE * highest_key(connection), _MOST), _FEWEST)
    return _unsorted(connection) >= worth


def compact_step(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The next stretch, in the caller's transaction; answers up to which customer all is in order, None at the end."""
    begun = get_meta(connection, _PLACE)
    if begun is None:
        # What is written from now on counts for the next time.
        set_meta(connection, UNSORTED, None)
    first = int(begun or 0) + 1
    highest = highest_key(connection)
    last = first + _width(connection, highest) - 1
    for table, rewritten in _REWRITTEN.items():
        _rewrite(connection, table, rewritten, first, last)
    set_meta(connection, _PLACE, str(last) if last < highest else None)
    return last if last < highest else None


def _unsorted(connection: duckdb.DuckDBPyConnection) -> int:
    return int(get_meta(connection, UNSORTED) or 0)


def _width(connection: duckdb.DuckDBPyConnection, highest: int) -> int:
    """Customers a step."""
    rows = highest + count_of(connection, "SELECT count(*) FROM all_events")
    return max(highest * ROWS_A_STEP // max(rows, 1), 1)


def _rewrite(connection: duckdb.DuckDBPyConnection, table: str, rewritten: str, first: int, last: int) -> None:
    mine = f"customer_key BETWEEN {first} AND {last}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE stretch AS SELECT * FROM {table} WHERE {mine}")
    connection.execute(f"DELETE FROM {table} WHERE {mine}")
    connection.execute(f"INSERT INTO {table} BY NAME {rewritten}")
    connection.execute("DROP TABLE stretch")
