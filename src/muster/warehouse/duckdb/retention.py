"""Lets go of what is too old (C-48), and carries on what the facts of a customer still owe to it (C-33)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import duckdb
import numpy as np
from pyroaring import BitMap

from muster.kernel.civil import day_code
from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.duckdb.append import naive
from muster.warehouse.duckdb.erase import SCRUB_DUE
from muster.warehouse.duckdb.rejects import drop_rejects
from muster.warehouse.duckdb.schema import set_meta

# Few a customer, and facts for as long as the customer is one, like orders: what they have, and what they think of it.
_LASTING = (
    "app_installed",
    "app_acquired",
    "addon_acquired",
    "subscription_started",
    "subscription_renewed",
    "subscription_ended",
    "install_attributed",
    "app_rated",
)
_LASTING_NUMBERS = ", ".join(str(STANDARD_EVENTS[key].number) for key in _LASTING)
_LISTING = STANDARD_EVENTS["listing_viewed"].number
ATTRIBUTION = "INTERVAL 24 HOUR"

# A session goes whole or not at all, so that the sum of what is carried and what is left never changes.
_OLD_SESSIONS = """
CREATE OR REPLACE TEMP TABLE old_sessions AS
SELECT s.* FROM all_sessions s WHERE ended_at < $cut AND session_id IS NULL AND NOT EXISTS (
    SELECT 1 FROM all_events e WHERE e.customer_key = s.customer_key AND e.app_key = s.app_key
        AND e.device_key IS NOT DISTINCT FROM s.device_key AND e.happened_at BETWEEN s.started_at AND s.ended_at
        AND e.received_at >= $cut)
"""

_OLD_EVENTS = f"""
CREATE OR REPLACE TEMP TABLE old_events AS
SELECT e.rowid AS place FROM all_events e
WHERE e.happened_at < $cut AND e.received_at < $cut AND e.event NOT IN ({_LASTING_NUMBERS}) AND NOT EXISTS (
    SELECT 1 FROM all_sessions s WHERE s.customer_key = e.customer_key AND s.app_key = e.app_key
        AND s.device_key IS NOT DISTINCT FROM e.device_key AND e.happened_at BETWEEN s.started_at AND s.ended_at
        AND NOT EXISTS (SELECT 1 FROM old_sessions o WHERE o.customer_key = s.customer_key
            AND o.app_key = s.app_key AND o.device_key IS NOT DISTINCT FROM s.device_key
            AND o.started_at = s.started_at))
"""

_CARRY = """
INSERT INTO usage_carry
SELECT customer_key, app_key, min(started_at), max(ended_at), CAST(count(*) AS INTEGER),
    CAST(sum(engaged_seconds) AS BIGINT)
FROM old_sessions GROUP BY customer_key, app_key;
DELETE FROM all_sessions s USING old_sessions o WHERE s.customer_key = o.customer_key AND s.app_key = o.app_key
    AND s.device_key IS NOT DISTINCT FROM o.device_key AND s.started_at = o.started_at AND s.session_id IS NULL;
"""

# What says where a customer came from, and the newest look at a listing, are facts of today.
_TOUCHES = f"""
touches WHERE happened_at < $cut
AND NOT EXISTS (SELECT 1 FROM app_facts f WHERE f.customer_key = touches.customer_key AND f.app_key = touches.app_key
    AND touches.happened_at BETWEEN f.acquired_at - {ATTRIBUTION} AND f.acquired_at)
AND NOT EXISTS (SELECT 1 FROM app_facts f WHERE f.customer_key = touches.customer_key AND f.app_key = touches.app_key
    AND f.page_viewed_at = touches.happened_at)
AND NOT EXISTS (SELECT 1 FROM all_events e WHERE e.customer_key = touches.customer_key AND e.hash = touches.hash)
"""


def drop_old_events(connection: duckdb.DuckDBPyConnection, cut: datetime) -> dict[str, int]:
    """Events that both happened and came before the instant; answers the rows removed by relation."""
    parameters = {"cut": naive(cut)}
    connection.execute(_OLD_SESSIONS, parameters)
    connection.execute(_OLD_EVENTS, parameters)
    connection.execute(_CARRY)
    events = _delete(connection, "all_events WHERE rowid IN (SELECT place FROM old_events)")
    touches = _delete(connection, _TOUCHES, parameters)
    connection.execute("DROP TABLE old_events; DROP TABLE old_sessions")
    if events or touches:
        set_meta(connection, SCRUB_DUE, cut.isoformat(timespec="seconds"))
    return {"all_events": events, "touches": touches}


def drop_old_rejects(connection: duckdb.DuckDBPyConnection, cut: datetime) -> int:
    gone = drop_rejects(connection, "received_at < ?", [naive(cut)])
    if gone:
        set_meta(connection, SCRUB_DUE, cut.isoformat(timespec="seconds"))
    return gone


def forget_repetitions(connection: duckdb.DuckDBPyConnection, cut: datetime, first_key: int) -> int:
    """Which items came before the instant otherwise than by imports (C-19), whose sources are smaller than `first_key`:
    rows of imports are remembered as long as the import."""
    return _delete(
        connection,
        "event_ids WHERE received_at < $cut AND (source = 0 OR source >= $first_key)",
        {"cut": naive(cut), "first_key": first_key},
    )


def unseen_visitors(connection: duckdb.DuckDBPyConnection, cut: datetime, most: int) -> BitMap:
    """Customers without an external id who were last seen before the instant, at most so many."""
    found = connection.execute(
        "SELECT customer_key FROM profiles WHERE last_seen_at < $cut AND customer_key NOT IN"
        " (SELECT customer_key FROM identities WHERE kind = 'external') ORDER BY customer_key LIMIT $most",
        {"cut": naive(cut), "most": most},
    ).fetchnumpy()["customer_key"]
    return BitMap(np.asarray(found, np.uint32))


def customers_under(connection: duckdb.DuckDBPyConnection, age: int, today: date, most: int) -> BitMap:
    """Who is known to be younger on the day, at most so many."""
    found = connection.execute(
        "SELECT customer_key FROM profiles WHERE $today - birth_code < $years ORDER BY customer_key LIMIT $most",
        {"today": day_code(today), "years": age * 10_000, "most": most},
    ).fetchnumpy()["customer_key"]
    return BitMap(np.asarray(found, np.uint32))


def _delete(connection: duckdb.DuckDBPyConnection, what: str, parameters: dict[str, Any] | None = None) -> int:
    [(count,)] = connection.execute(f"DELETE FROM {what}", parameters).fetchall()
    return int(count)
