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
    connection.execute(_PLACES)
    connection.execute(_OWNERS)
    connection.execute(_ENTRIES)
    connection.execute(_FOREIGN, {"publisher": catalog.currency})
    install_zone_days(connection, catalog.zone, "SELECT min(happened_at), max(happened_at) FROM foreign_now")
    connection.execute(_REMOVE)
    connection.execute(_ORDERS, {"publisher": catalog.currency})
    connection.execute(_PURCHASES)
    connection.execute(_OWNERS)


def _place(table: str) -> str:
    """A number of an order. Two orders may share one by chance: then both are touched and neither stands alone."""
    return f"hash(CAST({table}.app_key AS USMALLINT), {table}.order_id)"


# Orders are found by numbers: joins by text would cost more than all the rest.
_PLACES = f"""
CREATE OR REPLACE TEMP TABLE touched_places AS SELECT {_place("t")} AS place FROM touched_orders t;
"""

_OWNERS = f"""
INSERT INTO touched SELECT DISTINCT customer_key FROM all_orders o
    SEMI JOIN touched_places t ON t.place = {_place("o")} ANTI JOIN touched USING (customer_key);
"""

# The entry in force: the newest update (an update replaces), else the first completion: a second one is a repetition.
# Entries less trusted than the app asks for orders do not count (C-9). Nearly all orders have one entry: only the
# others are ranked.
_ENTRIES = f"""
CREATE OR REPLACE TEMP VIEW touched_entries AS
SELECT e.*, s.default_currency, {_place("e")} AS place FROM order_entries e LEFT JOIN set_app s USING (app_key)
SEMI JOIN touched_places t ON t.place = {_place("e")} WHERE e.trust >= coalesce(s.commerce_trust, 0);

CREATE OR REPLACE TEMP TABLE shared_places AS
SELECT place FROM touched_entries GROUP BY place HAVING count(*) > 1;

CREATE OR REPLACE TEMP TABLE shared_entries AS
SELECT *, dense_rank() OVER (ORDER BY place, app_key, order_id) AS number FROM touched_entries
SEMI JOIN shared_places USING (place);

CREATE OR REPLACE TEMP TABLE shared_orders AS
WITH said AS (
    SELECT number,
        min(coalesce(placed_at, happened_at)) FILTER (kind = 'completed') AS completed_at,
        min_by(customer_key, row(happened_at, hash))
            FILTER (kind IN ('completed', 'updated') AND customer_key IS NOT NULL) AS first_customer,
        bool_or(kind = 'cancelled') AS cancelled,
        bool_or(kind = 'refunded') AS refunded,
        bool_or(kind = 'refunded' AND amount_micros IS NULL) AS all_refunded,
        sum(abs(CAST(amount_micros AS HUGEINT))) FILTER (kind = 'refunded') AS refund_sum
    FROM shared_entries GROUP BY number),
forced AS (
    SELECT * FROM shared_entries WHERE kind IN ('completed', 'updated')
    QUALIFY row_number() OVER (PARTITION BY number ORDER BY kind = 'updated' DESC,
        CASE WHEN kind = 'updated' THEN happened_at END DESC, CASE WHEN kind = 'updated' THEN hash END DESC,
        happened_at, hash) = 1)
SELECT coalesce(f.customer_key, s.first_customer) AS customer_key, app_key, order_id, number,
    coalesce(f.placed_at, s.completed_at, f.happened_at) AS happened_at, f.amount_micros,
    coalesce(f.currency, upper(f.default_currency), '') AS currency, f.currency IS NULL AS currency_assumed,
    f.coupon, f.market, f.hash AS entry, CASE WHEN s.cancelled THEN 'cancelled' ELSE 'completed' END AS state,
    CAST(CASE WHEN s.all_refunded THEN greatest(coalesce(f.amount_micros, 0), 0)
        ELSE least(coalesce(s.refund_sum, 0), greatest(coalesce(f.amount_micros, 0), 0)) END AS BIGINT)
        AS refunded_micros, s.refunded
FROM forced f JOIN said s USING (number)
WHERE coalesce(f.customer_key, s.first_customer) IS NOT NULL;

CREATE OR REPLACE TEMP VIEW orders_now AS
SELECT * EXCLUDE (number, refunded) FROM shared_orders
UNION ALL
SELECT customer_key, app_key, order_id, coalesce(placed_at, happened_at), amount_micros,
    coalesce(currency, upper(default_currency), ''), currency IS NULL, coupon, market, hash, 'completed', 0
FROM touched_entries ANTI JOIN shared_places USING (place)
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
_FOREIGN = """
CREATE OR REPLACE TEMP TABLE foreign_now AS SELECT * FROM orders_now WHERE currency NOT IN ('', $publisher);
"""

_REMOVE = f"""
DELETE FROM all_orders o WHERE {_place("o")} IN (SELECT place FROM touched_places);
DELETE FROM purchases o WHERE {_place("o")} IN (SELECT place FROM touched_places);
"""

_ORDERS = f"""
INSERT INTO all_orders BY NAME
WITH dated AS (
    SELECT o.*, d.day FROM foreign_now o ASOF LEFT JOIN zone_days d ON o.happened_at >= d.starts_at)
SELECT * REPLACE ($publisher AS currency), amount_micros AS base_micros, refunded_micros AS refunded_base_micros
FROM orders_now WHERE currency IN ('', $publisher)
UNION ALL
SELECT o.* EXCLUDE (day), {_in_base("o.amount_micros")} AS base_micros,
    {_in_base("o.refunded_micros")} AS refunded_base_micros
FROM dated o ASOF LEFT JOIN rates r ON r.currency = o.currency AND o.day >= r.day;
"""

# Cancelled orders and credit notes (negative amounts) sell nothing. A line is refunded with its order, or if a refund
# names its product.
_PURCHASES = f"""
INSERT INTO purchases BY NAME
WITH returned AS (
    SELECT DISTINCT e.number, l.product_id FROM order_lines l JOIN shared_entries e ON e.hash = l.hash
    WHERE e.kind = 'refunded' AND l.product_id IS NOT NULL)
SELECT o.customer_key, o.app_key, o.order_id, l.line, o.happened_at, l.product_id, l.category, l.name, l.price_micros,
    l.quantity, o.coupon, o.amount_micros, coalesce(s.refunded AND o.refunded_micros >= coalesce(o.amount_micros, 0),
        false) OR r.number IS NOT NULL AS refunded, o.entry
FROM order_lines l JOIN all_orders o ON o.entry = l.hash
SEMI JOIN touched_places t ON t.place = {_place("o")}
LEFT JOIN shared_orders s ON s.entry = o.entry
LEFT JOIN returned r ON r.number = s.number AND r.product_id = l.product_id
WHERE o.state = 'completed' AND coalesce(o.amount_micros, 0) >= 0;
"""
