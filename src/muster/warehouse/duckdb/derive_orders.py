"""Orders from their entries, in the publisher's currency, and the lines in force (C-23 to C-25)."""

from __future__ import annotations

import duckdb

from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.scratch import count_of
from muster.warehouse.duckdb.zone_days import install_zone_days

# C-24: an older rate is none.
RATE_DAYS = 7


def derive_orders(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Replaces the rows of `touched_orders`; who owned or owns one of them is added to `touched`."""
    if not count_of(connection, "SELECT count(*) FROM touched_orders"):
        return
    connection.execute(_OWNERS)
    connection.execute(_ENTRIES)
    foreign = "SELECT min(happened_at), max(happened_at) FROM orders_now WHERE currency NOT IN ('', $publisher)"
    install_zone_days(connection, catalog.zone, foreign, {"publisher": catalog.currency})
    connection.execute(_STATES, {"publisher": catalog.currency})
    connection.execute(_REPLACE)
    connection.execute(_OWNERS)


_OWNERS = """
INSERT INTO touched SELECT DISTINCT customer_key FROM all_orders SEMI JOIN touched_orders USING (app_key, order_id)
    ANTI JOIN touched USING (customer_key);
"""

# The entry in force: the newest update (an update replaces), else the first completion: a second one is a repetition.
# Entries less trusted than the app asks for orders do not count (C-9). Nearly all orders have one entry: only the
# others are ranked, and all joins but the first are by number, not by text.
_ENTRIES = """
CREATE OR REPLACE TEMP TABLE numbered_orders AS
SELECT app_key, order_id, row_number() OVER () AS number FROM (SELECT DISTINCT app_key, order_id FROM touched_orders);

CREATE OR REPLACE TEMP TABLE order_entries_now AS
SELECT e.*, t.number, s.default_currency FROM order_entries e JOIN numbered_orders t USING (app_key, order_id)
LEFT JOIN set_app s USING (app_key) WHERE e.trust >= coalesce(s.commerce_trust, 0);

CREATE OR REPLACE TEMP TABLE orders_now AS
WITH said AS (
    SELECT number, count(*) AS entries,
        min(coalesce(placed_at, happened_at)) FILTER (kind = 'completed') AS completed_at,
        min_by(customer_key, row(happened_at, hash))
            FILTER (kind IN ('completed', 'updated') AND customer_key IS NOT NULL) AS first_customer,
        bool_or(kind = 'cancelled') AS cancelled,
        bool_or(kind = 'refunded') AS refunded,
        bool_or(kind = 'refunded' AND amount_micros IS NULL) AS all_refunded,
        sum(abs(amount_micros)) FILTER (kind = 'refunded') AS refund_sum
    FROM order_entries_now e
    SEMI JOIN (SELECT number FROM order_entries_now GROUP BY number HAVING count(*) > 1) m USING (number)
    GROUP BY number),
forced AS (
    SELECT e.* FROM order_entries_now e SEMI JOIN said USING (number) WHERE kind IN ('completed', 'updated')
    QUALIFY row_number() OVER (PARTITION BY number ORDER BY kind = 'updated' DESC,
        CASE WHEN kind = 'updated' THEN happened_at END DESC, CASE WHEN kind = 'updated' THEN hash END DESC,
        happened_at, hash) = 1)
SELECT coalesce(f.customer_key, s.first_customer) AS customer_key, app_key, order_id, number,
    coalesce(f.placed_at, s.completed_at, f.happened_at) AS happened_at, f.amount_micros,
    coalesce(f.currency, upper(f.default_currency), '') AS currency, f.currency IS NULL AS currency_assumed,
    f.coupon, f.market, f.hash AS entry, s.cancelled, s.refunded,
    CAST(CASE WHEN s.all_refunded THEN greatest(coalesce(f.amount_micros, 0), 0)
        ELSE least(coalesce(s.refund_sum, 0), greatest(coalesce(f.amount_micros, 0), 0)) END AS BIGINT)
        AS refunded_micros
FROM forced f JOIN said s USING (number)
WHERE coalesce(f.customer_key, s.first_customer) IS NOT NULL
UNION ALL
SELECT customer_key, app_key, order_id, number, coalesce(placed_at, happened_at), amount_micros,
    coalesce(currency, upper(default_currency), ''), currency IS NULL, coupon, market, hash, false, false, 0
FROM order_entries_now ANTI JOIN said USING (number)
WHERE kind IN ('completed', 'updated') AND customer_key IS NOT NULL;
"""


def half_even(numerator: str, denominator: str) -> str:
    """SQL: a quotient of whole numbers (HUGEINT over a positive one) rounded half to even; exact, no floats."""
    whole, rest = f"(abs({numerator}) // {denominator})", f"(abs({numerator}) % {denominator})"
    up = f"(2 * {rest} > {denominator} OR (2 * {rest} = {denominator} AND {whole} % 2 = 1))"
    return f"(CASE WHEN {numerator} < 0 THEN -1 ELSE 1 END * ({whole} + CASE WHEN {up} THEN 1 ELSE 0 END))"


def _in_base(micros: str) -> str:
    product = f"(CAST({micros} AS HUGEINT) * r.numerator)"
    rounded = half_even(product, "r.denominator")
    return f"CASE WHEN o.day - r.day <= {RATE_DAYS} THEN try_cast({rounded} AS BIGINT) END"


# Orders in the publisher's own currency, usually most, need neither day nor rate.
_STATES = f"""
CREATE OR REPLACE TEMP TABLE orders_rated AS
WITH named AS (
    SELECT * REPLACE (CASE WHEN currency = '' THEN $publisher ELSE currency END AS currency) FROM orders_now),
dated AS (
    SELECT o.*, d.day FROM named o ASOF LEFT JOIN zone_days d ON o.happened_at >= d.starts_at
    WHERE o.currency <> $publisher)
SELECT o.* EXCLUDE (day), {_in_base("o.amount_micros")} AS base_micros,
    {_in_base("o.refunded_micros")} AS refunded_base_micros
FROM dated o ASOF LEFT JOIN rates r ON r.currency = o.currency AND o.day >= r.day
UNION ALL
SELECT *, amount_micros, refunded_micros FROM named WHERE currency = $publisher;
"""

# Cancelled orders and credit notes (negative amounts) sell nothing. A line is refunded with its order, or if a refund
# names its product.
_REPLACE = """
DELETE FROM all_orders o USING numbered_orders t WHERE o.app_key = t.app_key AND o.order_id = t.order_id;
INSERT INTO all_orders BY NAME
SELECT * EXCLUDE (number, cancelled, refunded), CASE WHEN cancelled THEN 'cancelled' ELSE 'completed' END AS state
FROM orders_rated;
DELETE FROM purchases o USING numbered_orders t WHERE o.app_key = t.app_key AND o.order_id = t.order_id;
INSERT INTO purchases BY NAME
WITH returned AS (
    SELECT DISTINCT e.number, l.product_id FROM order_lines l JOIN order_entries_now e ON e.hash = l.hash
    WHERE e.kind = 'refunded' AND l.product_id IS NOT NULL)
SELECT o.customer_key, o.app_key, o.order_id, l.line, o.happened_at, l.product_id, l.category, l.name, l.price_micros,
    l.quantity, o.coupon, o.amount_micros,
    (o.refunded AND o.refunded_micros >= coalesce(o.amount_micros, 0)) OR r.number IS NOT NULL AS refunded, o.entry
FROM orders_rated o JOIN order_lines l ON l.hash = o.entry
LEFT JOIN returned r ON r.number = o.number AND r.product_id = l.product_id
WHERE NOT o.cancelled AND coalesce(o.amount_micros, 0) >= 0;
"""
