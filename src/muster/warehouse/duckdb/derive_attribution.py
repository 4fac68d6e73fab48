"""Where an acquisition came from: the touches in the day before it (section 5, acquisition source)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import duckdb
import pyarrow as pa

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Type
from muster.warehouse.duckdb.properties import property_as
from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.normal.links import campaign_in, referrer_host

TOUCH_WINDOW = "INTERVAL 24 HOUR"
OVERRIDE_WINDOW = "INTERVAL 7 DAY"
_ATTRIBUTED = STANDARD_EVENTS["install_attributed"].number


def derive_attribution(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `sources_now` (customer_key, app_key, campaign_id, referrer_domain, channel_type).

    Reads `acquired_now` (customer_key, app_key, acquired_at) and `touches_now`.
    """
    connection.execute(_WINDOW)
    with _texts(connection, "url", campaign_in), _texts(connection, "referrer", referrer_host):
        connection.execute(_SOURCES)


# A touch at the very moment of the acquisition is one: the first page of a web app is both.
_WINDOW = f"""
CREATE OR REPLACE TEMP TABLE window_now AS
SELECT t.* FROM touches_now t JOIN acquired_now a USING (customer_key, app_key)
WHERE t.happened_at <= a.acquired_at AND t.happened_at >= a.acquired_at - {TOUCH_WINDOW};
"""


def _override(path: str) -> str:
    return f"nullif(trim({property_as(path, Type.TEXT)}), '')"


_SOURCES = f"""
CREATE OR REPLACE TEMP TABLE sources_now AS
WITH carried AS (
    SELECT w.customer_key, w.app_key, w.is_listing, row(w.happened_at, w.hash) AS place,
        coalesce(w.campaign, u.answer) AS campaign,
        CASE WHEN EXISTS (SELECT 1 FROM set_domain d WHERE d.app_key = w.app_key
            AND (r.answer = d.domain OR ends_with(r.answer, '.' || d.domain))) THEN NULL ELSE r.answer END AS host
    FROM window_now w LEFT JOIN url_answers u ON u.text = w.url LEFT JOIN referrer_answers r ON r.text = w.referrer),
touched_first AS (
    SELECT customer_key, app_key, bool_or(is_listing) AS listed,
        min_by(struct_pack(campaign := campaign, host := host), place) FILTER (campaign IS NOT NULL) AS by_campaign,
        min_by(host, place) FILTER (host IS NOT NULL) AS by_referrer
    FROM carried GROUP BY ALL),
told AS (
    SELECT e.customer_key, e.app_key, e.happened_at, e.hash,
        coalesce({_override("campaign.id")}, {_override("campaign.name")}) AS campaign
    FROM events_now e WHERE e.event = {_ATTRIBUTED}),
attributed AS (
    SELECT t.customer_key, t.app_key, max_by(t.campaign, row(t.happened_at, t.hash)) AS campaign
    FROM told t JOIN acquired_now a USING (customer_key, app_key)
    WHERE t.campaign IS NOT NULL AND t.happened_at <= a.acquired_at + {OVERRIDE_WINDOW}
        AND t.happened_at >= a.acquired_at - {TOUCH_WINDOW}
    GROUP BY ALL)
SELECT customer_key, app_key, coalesce(a.campaign, f.by_campaign.campaign) AS campaign_id,
    CASE WHEN f.by_campaign IS NOT NULL THEN f.by_campaign.host ELSE f.by_referrer END AS referrer_domain,
    CASE WHEN coalesce(a.campaign, f.by_campaign.campaign) IS NOT NULL THEN 'campaign'
        WHEN f.by_referrer IS NOT NULL THEN 'other' WHEN f.listed THEN 'store' END AS channel_type
FROM touched_first f FULL JOIN attributed a USING (customer_key, app_key);
"""


def _texts(
    connection: duckdb.DuckDBPyConnection, column: str, read: Callable[[str], str | None]
) -> AbstractContextManager[None]:
    """Relation `<column>_answers` (text, answer) of the distinct texts of `window_now`."""
    query = f"SELECT DISTINCT {column} FROM window_now WHERE {column} IS NOT NULL"
    texts = [row[0] for row in connection.execute(query).fetchall()]
    answers = pa.array([read(text) for text in texts], pa.string())
    rows = pa.table({"text": pa.array(texts, pa.string()), "answer": answers})
    return registered(connection, f"{column}_answers", rows)
