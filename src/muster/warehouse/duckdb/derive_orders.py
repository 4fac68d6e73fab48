"""Orders from their entries, in the publisher's currency, and the lines in force (C-23 to C-25)."""

from __future__ import annotations

import duckdb

from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.zone_days import install_zone_days

# C-24: an older rate is none.
RATE_DAYS = 7


def derive_orders(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Replaces the rows of `touched_orders`; who owned or owns one of them is added to `touched`."""
    connection.execute(_OWNERS)
    connection.execute(_ENTRIES)
    install_zone_days(connection, catalog.zone, "SELECT min(happened_at), max(happened_at) FROM orders_now")
    connection.execute(_STATES, {"publisher": catalog.currency})
    connection.execute(_REPLACE)
    connection.execute(_OWNERS)


_OWNERS = """
INSERT INTO touched SELECT DISTINCT customer_key FROM all_orders SEMI JOIN touched_orders USING (app_key, order_id)
    ANTI JOIN touched USING (customer_key);
"""

# The entry in force: the newest update (an update replaces), else the first completion: a second one is a repetition.
# Entries less trusted than the app asks for orders do not count (C-9).
_ENTRIES = """
CREATE OR REPLACE TEMP TABLE order_entries_now AS
SELECT e.*, s.default_currency FROM order_entries e SEMI JOIN touched_orders USING (app_key, order_id)
LEFT JOIN set_app s USING (app_key) WHERE e.trust >= coalesce(s.commerce_trust, 0);

CREATE OR REPLACE TEMP TABLE orders_now AS
WITH forced AS (
    SELECT * FROM order_entries_now WHERE kind IN ('completed', 'updated')
    QUALIFY row_number() OVER (PARTITION BY app_key, order_id ORDER BY kind = 'updated' DESC,
        CASE WHEN kind = 'updated' THEN happened_at END DESC, CASE WHEN kind = 'updated' THEN hash END DESC,
        happened_at, hash) = 1),
said AS (
    SELECT app_key, order_id,
        min(coalesce(placed_at, happened_at)) FILTER (kind = 'completed') AS completed_at,
        min_by(customer_key, row(happened_at, hash))
            FILTER (kind IN ('completed', 'updated') AND customer_key IS NOT NULL) AS first_customer,
        bool_or(kind = 'cancelled') AS cancelled,
        bool_or(kind = 'refunded') AS refunded,
        bool_or(kind = 'refunded' AND amount_micros IS NULL) AS all_refunded,
        sum(abs(amount_micros)) FILTER (kind = 'refunded') AS refund_sum
    FROM order_entries_now GROUP BY ALL)
SELECT coalesce(f.customer_key, s.first_customer) AS customer_key, app_key, order_id,
    coalesce(f.placed_at, s.completed_at, f.happened_at) AS happened_at, f.amount_micros,
    coalesce(f.currency, upper(f.default_currency), '') AS currency, f.currency IS NULL AS currency_assumed,
    f.coupon, f.market, f.hash AS entry, s.cancelled, s.refunded,
    CAST(CASE WHEN s.all_refunded THEN greatest(f.amount_micros, 0)
        ELSE least(coalesce(s.refund_sum, 0), greatest(coalesce(f.amount_micros, 0), 0)) END AS BIGINT)
        AS refunded_micros
FROM forced f JOIN said s USING (app_key, order_id)
WHERE coalesce(f.customer_key, s.first_customer) IS NOT NULL;
"""


def half_even(numerator: str, denominator: str) -> str:
    """SQL: a quotient of whole numbers (HUGEINT over a positive one) rounded half to even; exact, no floats."""
    whole, rest = f"(abs({numerator}) // {denominator})", f"(abs({numerator}) % {denominator})"
    up = f"(2 * {rest} > {denominator} OR (2 * {rest} = {denominator} AND {whole} % 2 = 1))"
    return f"(CASE WHEN {numerator} < 0 THEN -1 ELSE 1 END * ({whole} + CASE WHEN {up} THEN 1 ELSE 0 END))"


def _in_base(micros: str) -> str:
    product = f"(CAST({micros} AS HUGEINT) * r.numerator)"
    return (
        f"CASE WHEN o.currency = o.publisher THEN {micros}"
        f" WHEN o.day - r.day <= {RATE_DAYS} THEN try_cast({half_even(product, 'r.denominator')} AS BIGINT) END"
    )


_STATES = f"""
CREATE OR REPLACE TEMP TABLE orders_rated AS
WITH dated AS (
    SELECT o.* REPLACE (CASE WHEN o.currency = '' THEN $publisher ELSE o.currency END AS currency),
        $publisher AS publisher, d.day
    FROM orders_now o ASOF LEFT JOIN zone_days d ON o.happened_at >= d.starts_at)
SELECT o.customer_key, o.app_key, o.order_id, o.happened_at, o.amount_micros, o.currency,
    {_in_base("o.amount_micros")} AS base_micros,
    CASE WHEN o.cancelled THEN 'cancelled' ELSE 'completed' END AS state, o.refunded_micros,
    {_in_base("o.refunded_micros")} AS refunded_base_micros,
    o.coupon, o.market, o.currency_assumed, o.entry, o.refunded
FROM dated o ASOF LEFT JOIN rates r ON r.currency = o.currency AND o.day >= r.day;
"""  # fmt: skip

# Cancelled orders and credit notes (negative amounts) sell nothing. A line is refunded with its order, or if a refund
# names its product.
_REPLACE = """
DELETE FROM all_orders o USING touched_orders t WHERE o.app_key = t.app_key AND o.order_id = t.order_id;
INSERT INTO all_orders BY NAME SELECT * EXCLUDE (refunded) FROM orders_rated ORDER BY customer_key;
DELETE FROM purchases o USING touched_orders t WHERE o.app_key = t.app_key AND o.order_id = t.order_id;
INSERT INTO purchases BY NAME
WITH returned AS (
    SELECT DISTINCT l.app_key, l.order_id, l.product_id FROM order_lines l
    JOIN order_entries_now e ON e.app_key = l.app_key AND e.order_id = l.order_id AND e.hash = l.hash
    WHERE e.kind = 'refunded' AND l.product_id IS NOT NULL)
SELECT o.customer_key, o.app_key, o.order_id, l.line, o.happened_at, l.product_id, l.category, l.name, l.price_micros,
    l.quantity, o.coupon, o.amount_micros,
    (o.refunded AND o.refunded_micros >= coalesce(o.amount_micros, 0)) OR r.product_id IS NOT NULL AS refunded, o.entry
FROM orders_rated o JOIN order_lines l ON l.app_key = o.app_key AND l.order_id = o.order_id AND l.hash = o.entry
LEFT JOIN returned r ON r.app_key = l.app_key AND r.order_id = l.order_id AND r.product_id = l.product_id
WHERE o.state = 'completed' AND coalesce(o.amount_micros, 0) >= 0;
"""
