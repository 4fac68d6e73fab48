"""The row of every customer and app (section 5): acquisition, usage, rating, spend, custom attributes."""

from __future__ import annotations

import duckdb

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Scope, Type
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.derive_attribution import derive_attribution
from muster.warehouse.duckdb.derive_customs import custom_values
from muster.warehouse.duckdb.properties import property_as
from muster.warehouse.duckdb.sums import micros_sum, minutes

_RATED = STANDARD_EVENTS["app_rated"].number


def derive_app_facts(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Replaces the app facts of the touched customers; reads `activity_now`, `touches_now`, derived rows.

    Leaves `ordered_now` and `acquired_now` (customer_key, app_key, ...) to the profiles.
    """
    connection.execute(_USED)
    connection.execute(_ACQUIRED)
    derive_attribution(connection)
    customs = custom_values(connection, catalog, Scope.APP)
    connection.execute("DELETE FROM app_facts f USING touched t WHERE f.customer_key = t.customer_key")
    joined = " LEFT JOIN custom_now USING (customer_key, app_key)" if customs else ""
    columns = "".join(f", custom_now.{column}" for column in customs)
    connection.execute(f"{_FACTS.format(columns=columns)}{joined}")


_USED = f"""
CREATE OR REPLACE TEMP TABLE used_now AS
SELECT customer_key, app_key, min(first_used_at) AS first_used_at, max(last_used_at) AS last_used_at FROM (
    SELECT customer_key, app_key, happened_at AS first_used_at, happened_at AS last_used_at FROM activity_now UNION ALL
    SELECT customer_key, app_key, first_used_at, last_used_at FROM usage_carry SEMI JOIN touched USING (customer_key))
GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE ordered_now AS
SELECT customer_key, app_key, min(happened_at) FILTER (coalesce(amount_micros, 0) >= 0) AS first_order_at,
    {micros_sum("base_micros - refunded_base_micros")} AS app_spend_micros,
    count(*) FILTER (amount_micros > 0) AS purchase_count,
    min(happened_at) FILTER (amount_micros > 0) AS first_purchase_at,
    max(happened_at) FILTER (amount_micros > 0) AS last_purchase_at,
    min(market) AS first_market, max(market) AS last_market
FROM all_orders SEMI JOIN touched USING (customer_key) WHERE state = 'completed' GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE acquisitions_now AS
SELECT customer_key, app_key, min(happened_at) FILTER (addon IS NULL) AS first_at,
    max_by(acquisition_type, row(explicit, happened_at, hash, acquisition_type)) FILTER (addon IS NULL)
        AS acquisition_type,
    max(happened_at) FILTER (addon IS NOT NULL) AS addon_acquired_at
FROM acquisitions SEMI JOIN touched USING (customer_key) GROUP BY ALL;
"""

# Whoever uses an app or ordered something in it has it.
_ACQUIRED = """
CREATE OR REPLACE TEMP TABLE acquired_now AS
SELECT customer_key, app_key, least(a.first_at, u.first_used_at, o.first_order_at) AS acquired_at
FROM acquisitions_now a FULL JOIN used_now u USING (customer_key, app_key)
FULL JOIN ordered_now o USING (customer_key, app_key)
WHERE least(a.first_at, u.first_used_at, o.first_order_at) IS NOT NULL;
"""

_RATING = property_as("rating", Type.NUMBER)
_RATING_TEXT = property_as("rating", Type.TEXT)

_FACTS = f"""
INSERT INTO app_facts BY NAME
WITH pairs AS (
    SELECT customer_key, app_key FROM sightings SEMI JOIN touched USING (customer_key) WHERE app_key > 0
    UNION SELECT customer_key, app_key FROM acquired_now
    UNION SELECT customer_key, app_key FROM ordered_now
    UNION SELECT customer_key, app_key FROM acquisitions_now),
viewed AS (
    SELECT customer_key, app_key, max(happened_at) AS page_viewed_at FROM touches_now WHERE is_listing GROUP BY ALL),
visited AS (
    SELECT customer_key, app_key, sum(number) AS session_count, sum(engaged_seconds) AS engaged_seconds FROM (
        SELECT customer_key, app_key, 1 AS number, engaged_seconds FROM all_sessions
        SEMI JOIN touched USING (customer_key) UNION ALL
        SELECT customer_key, app_key, session_count, engaged_seconds FROM usage_carry
        SEMI JOIN touched USING (customer_key)) GROUP BY customer_key, app_key),
stars AS (
    SELECT customer_key, app_key, happened_at, hash, coalesce({_RATING}, try_cast({_RATING_TEXT} AS DOUBLE)) AS rating
    FROM events_now WHERE event = {_RATED}),
rated AS (
    SELECT customer_key, app_key, max_by(rating, row(happened_at, hash)) AS rating, max(happened_at) AS rated_at
    FROM stars WHERE rating BETWEEN 1 AND 5 GROUP BY ALL),
scored AS (
    SELECT customer_key, app_key, predicted AS churn_predicted, probability AS churn_probability
    FROM churn_scores SEMI JOIN touched USING (customer_key)
    QUALIFY row_number() OVER (PARTITION BY customer_key, app_key ORDER BY happened_at DESC, probability DESC) = 1)
SELECT customer_key, app_key, q.acquired_at,
    CASE WHEN q.acquired_at IS NOT NULL THEN coalesce(a.acquisition_type, 'free') END AS acquisition_type,
    a.addon_acquired_at, s.campaign_id, s.referrer_domain, w.page_viewed_at, s.channel_type, u.first_used_at,
    u.last_used_at, CAST(v.session_count AS INTEGER) AS session_count,
    {minutes("v.engaged_seconds")} AS engagement_minutes, r.rating, r.rated_at, o.app_spend_micros,
    c.churn_predicted, c.churn_probability{{columns}}
FROM pairs LEFT JOIN acquired_now q USING (customer_key, app_key)
LEFT JOIN acquisitions_now a USING (customer_key, app_key) LEFT JOIN sources_now s USING (customer_key, app_key)
LEFT JOIN used_now u USING (customer_key, app_key) LEFT JOIN ordered_now o USING (customer_key, app_key)
LEFT JOIN viewed w USING (customer_key, app_key) LEFT JOIN visited v USING (customer_key, app_key)
LEFT JOIN rated r USING (customer_key, app_key) LEFT JOIN scored c USING (customer_key, app_key)"""
