"""Use of the apps: page touches, activity, and the sessions it falls into (C-21, C-22)."""

from __future__ import annotations

import duckdb

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Type
from muster.warehouse.duckdb.properties import property_as

SESSION_GAP = "INTERVAL 30 MINUTE"
LONGEST_ENGAGEMENT_MICROS = 5 * 60 * 1_000_000

_PAGE = STANDARD_EVENTS["page_viewed"].number
_LISTING = STANDARD_EVENTS["listing_viewed"].number
_BACKGROUNDED = STANDARD_EVENTS["app_backgrounded"].number
_SESSION = STANDARD_EVENTS["session"].number


def derive_usage(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `touches_now` and `activity_now` of the touched customers and replaces their sessions."""
    connection.execute(_TOUCHES)
    connection.execute(_ACTIVITY)
    connection.execute(_SESSIONS)
    connection.execute(_REPORTED)


# A page whose URL starts with one of the app's listing addresses is a look at the listing, not use of the app.
_TOUCHES = f"""
CREATE OR REPLACE TEMP TABLE touches_now AS
WITH viewed AS (SELECT * FROM touches SEMI JOIN touched USING (customer_key))
SELECT v.*, v.event = {_LISTING} OR coalesce(l.listing, false) AS is_listing
FROM viewed v LEFT JOIN (
    SELECT DISTINCT v.hash, true AS listing FROM viewed v
    JOIN set_listing s ON s.app_key = v.app_key AND starts_with(v.url, s.prefix)) l USING (hash);
"""

_ACTIVITY = f"""
CREATE OR REPLACE TEMP TABLE activity_now AS
SELECT e.customer_key, e.app_key, e.device_key, e.event, e.happened_at, e.hash
FROM events_now e JOIN set_event s ON s.event = e.event
ANTI JOIN (SELECT hash FROM touches_now WHERE is_listing AND event = {_PAGE}) l ON l.hash = e.hash
WHERE s.is_activity AND e.active AND e.app_key > 0;
"""

# Each gap inside a session counts as engagement up to five minutes, none after the app went to the background.
_SESSIONS = f"""
DELETE FROM all_sessions s USING touched t WHERE s.customer_key = t.customer_key;
INSERT INTO all_sessions BY NAME
WITH paired AS (
    SELECT a.*, lag(a.happened_at) OVER next_to AS previous_at, lag(a.event) OVER next_to AS previous
    FROM activity_now a LEFT JOIN set_app s USING (app_key) WHERE NOT coalesce(s.reported, false)
    WINDOW next_to AS (PARTITION BY a.customer_key, a.app_key, a.device_key ORDER BY a.happened_at, a.hash)),
begun AS (
    SELECT *, previous_at IS NULL OR happened_at - previous_at >= {SESSION_GAP} AS begins FROM paired),
numbered AS (
    SELECT *, sum(CAST(begins AS INTEGER)) OVER (PARTITION BY customer_key, app_key, device_key
        ORDER BY happened_at, hash ROWS UNBOUNDED PRECEDING) AS number,
        CASE WHEN begins OR previous = {_BACKGROUNDED} THEN 0
            ELSE least(epoch_us(happened_at) - epoch_us(previous_at), {LONGEST_ENGAGEMENT_MICROS}) END AS engaged
    FROM begun)
SELECT customer_key, app_key, device_key, min(happened_at) AS started_at, max(happened_at) AS ended_at,
    CAST(sum(engaged) // 1000000 AS INTEGER) AS engaged_seconds
FROM numbered GROUP BY customer_key, app_key, device_key, number;
"""

# Apps that report their sessions themselves: the newest word on each session counts.
_REPORTED = f"""
INSERT INTO all_sessions BY NAME
WITH said AS (
    SELECT e.customer_key, e.app_key, e.device_key, e.happened_at, e.hash,
        {property_as("session_id", Type.TEXT)} AS session_id,
        {property_as("started_at", Type.TIMESTAMP)} AS started_at,
        {property_as("ended_at", Type.TIMESTAMP)} AS ended_at,
        {property_as("engaged_seconds", Type.NUMBER)} AS engaged
    FROM events_now e JOIN set_app s ON s.app_key = e.app_key
    WHERE e.event = {_SESSION} AND s.reported
    QUALIFY row_number() OVER (PARTITION BY e.customer_key, e.app_key, coalesce(session_id, CAST(e.hash AS VARCHAR))
        ORDER BY e.happened_at DESC, e.hash DESC) = 1),
timed AS (
    SELECT *, coalesce(started_at, least(ended_at, happened_at)) AS began FROM said)
SELECT customer_key, app_key, device_key, session_id, began AS started_at,
    greatest(coalesce(ended_at, happened_at), began) AS ended_at,
    CAST(floor(least(greatest(coalesce(engaged, 0), 0), 86400 * 366)) AS INTEGER) AS engaged_seconds
FROM timed;
"""
