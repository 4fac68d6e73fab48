"""Acquisitions of apps and add-ons, said by events or read off order lines, and what is owned now."""

from __future__ import annotations

import duckdb

from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Type
from muster.warehouse.duckdb.properties import literal, property_as

_APP = STANDARD_EVENTS["app_acquired"].number
_ADDON = STANDARD_EVENTS["addon_acquired"].number
_STARTED = STANDARD_EVENTS["subscription_started"].number
_RENEWED = STANDARD_EVENTS["subscription_renewed"].number
_ENDED = STANDARD_EVENTS["subscription_ended"].number
_TYPES = ", ".join(literal(value) for value in STANDARD_ATTRIBUTES["acquisition_type"].values)


def derive_acquisitions(connection: duckdb.DuckDBPyConnection) -> None:
    """Replaces the acquisitions of the touched customers."""
    connection.execute(_ACQUISITIONS)


def derive_holdings(connection: duckdb.DuckDBPyConnection) -> None:
    """Replaces the holdings of the touched customers."""
    connection.execute(_HOLDINGS)


_WORD = f"replace(lower(trim({property_as('acquisition_type', Type.TEXT)})), ' ', '_')"

_ACQUISITIONS = f"""
DELETE FROM acquisitions a USING touched t WHERE a.customer_key = t.customer_key;
INSERT INTO acquisitions BY NAME
WITH said AS (
    SELECT e.customer_key, e.app_key, e.event, e.happened_at, e.hash, nullif({_WORD}, '') AS word,
        {property_as("amount", Type.NUMBER)} AS amount, {property_as("addon", Type.TEXT)} AS addon
    FROM events_now e LEFT JOIN set_app s USING (app_key)
    WHERE e.event IN ({_APP}, {_ADDON}) AND e.app_key > 0 AND e.trust >= coalesce(s.commerce_trust, 0)),
sold AS NOT MATERIALIZED (
    SELECT p.*, CASE WHEN coalesce(p.price_micros, p.amount_micros) > 0 THEN 'paid'
        WHEN p.coupon IS NOT NULL THEN 'promo_code' ELSE 'free' END AS acquisition_type
    FROM purchases p SEMI JOIN touched USING (customer_key))
SELECT customer_key, app_key, NULL AS addon, happened_at, hash,
    CASE WHEN word IN ({_TYPES}) THEN word WHEN word IS NOT NULL THEN 'other' WHEN amount > 0 THEN 'paid'
        ELSE 'free' END AS acquisition_type,
    true AS explicit, false AS refunded, NULL AS order_id
FROM said WHERE event = {_APP}
UNION ALL
SELECT s.customer_key, s.app_key, coalesce(a.product_id, s.addon), s.happened_at, s.hash, NULL, true, false, NULL
FROM said s LEFT JOIN set_addon a ON a.app_key = s.app_key AND a.sku = s.addon
WHERE s.event = {_ADDON} AND s.addon IS NOT NULL
UNION ALL
SELECT p.customer_key, p.app_key, a.product_id, p.happened_at, p.entry, p.acquisition_type, false, p.refunded,
    p.order_id
FROM sold p JOIN set_addon a ON a.app_key = p.app_key AND a.sku = p.product_id
UNION ALL
SELECT p.customer_key, a.app_key, NULL, p.happened_at, p.entry, p.acquisition_type, false, p.refunded,
    p.order_id
FROM sold p JOIN set_app_sku a ON a.sku = p.product_id;
"""

# Durables stay unless refunded; of a subscription the newest word counts; consumables are never owned, nor is what the
# catalog does not know.
_HOLDINGS = f"""
DELETE FROM holdings h USING touched t WHERE h.customer_key = t.customer_key;
INSERT INTO holdings BY NAME
WITH kinds AS (SELECT DISTINCT app_key, product_id, kind FROM set_addon),
renewals AS (
    SELECT e.customer_key, e.app_key, coalesce(a.product_id, {property_as("addon", Type.TEXT)}) AS addon, e.happened_at,
        e.hash, coalesce({property_as("expires_at", Type.TIMESTAMP)},
            CASE WHEN e.event = {_ENDED} THEN e.happened_at END) AS expires_at
    FROM events_now e LEFT JOIN set_app s ON s.app_key = e.app_key
    LEFT JOIN set_addon a ON a.app_key = e.app_key AND a.sku = {property_as("addon", Type.TEXT)}
    WHERE e.event IN ({_ADDON}, {_STARTED}, {_RENEWED}, {_ENDED}) AND e.trust >= coalesce(s.commerce_trust, 0)),
newest AS (
    SELECT * FROM renewals
    QUALIFY row_number() OVER (PARTITION BY customer_key, app_key, addon ORDER BY happened_at DESC, hash DESC) = 1)
SELECT DISTINCT q.customer_key, q.app_key, q.addon, CAST(NULL AS TIMESTAMP) AS expires_at
FROM acquisitions q SEMI JOIN touched USING (customer_key)
JOIN kinds k ON k.app_key = q.app_key AND k.product_id = q.addon
WHERE k.kind = 'durable' AND NOT q.refunded
UNION ALL
SELECT n.customer_key, n.app_key, n.addon, n.expires_at
FROM newest n JOIN kinds k ON k.app_key = n.app_key AND k.product_id = n.addon WHERE k.kind = 'subscription';
"""
