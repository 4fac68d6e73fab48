"""The row of every customer: who it is, standard and custom attributes, order totals, consent (sections 3 to 5)."""

from __future__ import annotations

import duckdb

from muster.rules.vocabulary import Scope
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.derive_customs import custom_values
from muster.warehouse.duckdb.sums import micros_sum
from muster.warehouse.duckdb.zone_days import install_zone_days

_PLAIN = ("gender", "country", "language", "time_zone", "name", "first_name", "last_name", "phone")


def derive_profiles(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Replaces the profiles of the touched customers; reads their derived orders, acquisitions and app facts."""
    connection.execute(_TRAITS)
    install_zone_days(
        connection, catalog.zone, "SELECT min(happened_at), max(happened_at) FROM traits_now WHERE attribute = 'age'"
    )
    customs = custom_values(connection, catalog, Scope.CUSTOMER)
    connection.execute("DELETE FROM profiles p USING touched t WHERE p.customer_key = t.customer_key")
    joined = " LEFT JOIN custom_now USING (customer_key)" if customs else ""
    columns = "".join(f", custom_now.{column}" for column in customs)
    unset = "false" if catalog.profiling_unset else "true"
    connection.execute(f"{_PROFILES.format(columns=columns, denied_unset=unset)}{joined}")


# The newest value of each standard trait that is trusted enough; null if that was a removal.
_TRAITS = """
CREATE OR REPLACE TEMP TABLE traits_now AS
SELECT r.customer_key, r.attribute, CAST(r.value AS JSON)->>'$' AS value, r.happened_at
FROM traits r SEMI JOIN touched USING (customer_key) LEFT JOIN set_attribute s ON s.attribute = r.attribute
WHERE s.number IS NULL AND r.trust >= coalesce(s.accept_from, 0)
QUALIFY row_number() OVER (PARTITION BY r.customer_key, r.attribute
    ORDER BY r.happened_at DESC, r.hash DESC, r.value DESC) = 1;
"""

_PIVOT = ", ".join(f"any_value(value) FILTER (attribute = '{attribute}') AS {attribute}" for attribute in _PLAIN)
# Reckoned of every trait before any is left out, so nothing here may fail: some are numbers or dates of any size.
_BORN = "try_cast(strftime(try_cast(value AS DATE), '%Y%m%d') AS INTEGER)"
_SENT_DAY = "CAST(strftime(day, '%Y%m%d') AS INTEGER)"
_BEGAN = f"{_SENT_DAY} - 10000 * CAST(try_cast(value AS SMALLINT) AS INTEGER)"

_PROFILES = f"""
INSERT INTO profiles BY NAME
WITH people AS (
    SELECT customer_key, coalesce(
        'c:' || any_value(text) FILTER (kind = 'external' AND subject_of = customer_key),
        'a:' || any_value(text) FILTER (kind = 'anonymous' AND subject_of = customer_key)) AS subject
    FROM identities SEMI JOIN touched USING (customer_key) GROUP BY customer_key),
seen AS (
    SELECT customer_key, min(first_at) AS first_seen_at, max(last_at) AS last_seen_at
    FROM sightings SEMI JOIN touched USING (customer_key) GROUP BY customer_key),
said AS (
    SELECT customer_key, {_PIVOT},
        any_value(value) FILTER (attribute = 'created_at') AS created_at,
        any_value({_BORN}) FILTER (attribute = 'birthday') AS born,
        any_value({_BEGAN}) FILTER (attribute = 'age') AS reckoned
    FROM (SELECT n.*, d.day FROM traits_now n ASOF LEFT JOIN zone_days d ON n.happened_at >= d.starts_at)
    GROUP BY customer_key),
context AS (
    SELECT customer_key, max_by(locale, row(happened_at, hash)) AS locale,
        max_by(time_zone, row(happened_at, hash)) AS time_zone
    FROM device_sightings SEMI JOIN touched USING (customer_key) GROUP BY customer_key),
bought AS (
    SELECT customer_key, CAST(sum(purchase_count) AS INTEGER) AS purchase_count,
        min(first_purchase_at) AS first_purchase_at, max(last_purchase_at) AS last_purchase_at,
        {micros_sum("app_spend_micros")} AS store_spend_micros,
        min(first_market) AS first_market, max(last_market) AS last_market
    FROM ordered_now GROUP BY customer_key),
markets AS (
    -- Nearly all order from one market: of the others the newest order is looked for.
    SELECT customer_key, max_by(market, row(happened_at, entry)) AS market
    FROM all_orders SEMI JOIN (SELECT customer_key FROM bought WHERE first_market <> last_market) USING (customer_key)
    WHERE state = 'completed' AND market IS NOT NULL GROUP BY customer_key),
kinds AS (SELECT DISTINCT app_key, product_id, kind FROM set_addon),
addons AS (
    -- Each repeat of a consumable counts; another acquisition of what is owned does not.
    SELECT q.customer_key, count(*) FILTER (k.kind = 'consumable')
        + count(DISTINCT row(q.app_key, q.addon)) FILTER (k.kind IS DISTINCT FROM 'consumable') AS number
    FROM acquisitions q SEMI JOIN touched USING (customer_key)
    LEFT JOIN kinds k ON k.app_key = q.app_key AND k.product_id = q.addon
    WHERE q.addon IS NOT NULL GROUP BY q.customer_key),
apps AS (SELECT customer_key, count(*) AS number FROM acquired_now GROUP BY customer_key),
objected AS (
    SELECT customer_key, NOT max_by(granted, row(happened_at, hash, NOT granted)) AS denied
    FROM consents SEMI JOIN touched USING (customer_key) WHERE purpose = 'profiling' GROUP BY customer_key)
SELECT customer_key, p.subject, s.first_seen_at, s.last_seen_at, coalesce(t.born, t.reckoned) AS birth_code, t.gender,
    coalesce(t.country, m.market, b.last_market) AS country, coalesce(t.language, c.locale) AS language,
    coalesce(t.time_zone, c.time_zone) AS time_zone, t.name, t.first_name, t.last_name, t.phone,
    CAST(try_cast(t.created_at AS TIMESTAMPTZ) AS TIMESTAMP) AS created_at,
    coalesce(o.denied, {{denied_unset}}) AS profiling_denied,
    b.purchase_count, b.first_purchase_at, b.last_purchase_at, b.store_spend_micros,
    CAST(nullif(coalesce(x.number, 0) + coalesce(a.number, 0), 0) AS INTEGER) AS acquisition_count{{columns}}
FROM people p LEFT JOIN seen s USING (customer_key) LEFT JOIN said t USING (customer_key)
LEFT JOIN context c USING (customer_key) LEFT JOIN bought b USING (customer_key)
LEFT JOIN addons x USING (customer_key) LEFT JOIN apps a USING (customer_key)
LEFT JOIN objected o USING (customer_key) LEFT JOIN markets m USING (customer_key)"""
