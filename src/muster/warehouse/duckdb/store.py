"""Appends the raw rows of the resolved items: what was said, in the form it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime

import duckdb
import pyarrow as pa

from muster.kernel.versions import is_version, version_key
from muster.rules.standard import DEVICE_FAMILIES
from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.duckdb.properties import literal, text_of_double
from muster.warehouse.duckdb.scratch import count_of, registered
from muster.warehouse.normal.countries import country_code
from muster.warehouse.normal.emails import normal_email
from muster.warehouse.normal.languages import language_tag
from muster.warehouse.normal.traits import LONGEST_TEXT_BYTES, OLDEST_AGE, STANDARD_TRAITS, normal_trait
from muster.warehouse.normal.zones import zone_name

_STANDARD = ", ".join(literal(attribute) for attribute in sorted(STANDARD_TRAITS))


def store_items(connection: duckdb.DuckDBPyConnection, received_at: datetime, parts: Collection[str]) -> None:
    """Every raw table, from `resolved` and the `in_` tables; `parts` are those that have rows.

    Warnings stand in `in_warnings` (position, code).
    """
    connection.execute(_WARNINGS)
    connection.execute(_SEEN)
    if "traits" in parts:
        _store_traits(connection)
    if "traits" in parts or "emails" in parts:
        _store_emails(connection)
    if "consents" in parts:
        connection.execute(_CONSENTS)
    _store_devices(connection)
    if "events" in parts:
        connection.execute(_EVENTS, {"at": received_at})
        connection.execute(_TOUCHES)
    if "orders" in parts:
        _store_orders(connection)
    connection.execute("INSERT INTO event_ids SELECT hash, $at, source FROM in_taken", {"at": received_at})


# One id stood for nobody, the other for somebody (C-8).
_WARNINGS = """
CREATE OR REPLACE TEMP TABLE in_warnings AS
SELECT position, 'identity_placeholder' AS code FROM in_items WHERE placeholder AND verdict IS NULL
"""

# `in_taken`: accepted items with their customer; null for an order taken back by who names no customer.
_SEEN = """
CREATE OR REPLACE TEMP TABLE in_taken AS
SELECT i.position, i.app_key, i.happened_at, i.hash, i.trust, i.source, i.anonymous_id, r.customer_key
FROM in_items i LEFT JOIN resolved r USING (position) WHERE i.verdict IS NULL;
INSERT INTO sightings
SELECT customer_key, app_key, min(happened_at), max(happened_at), source FROM in_taken
WHERE customer_key IS NOT NULL GROUP BY customer_key, app_key, source;
"""

_CONSENTS = """
INSERT INTO consents
SELECT t.customer_key, c.purpose, c.channel, c.granted, c.text_version, t.happened_at, t.hash, t.source, t.trust
FROM in_consents c JOIN in_taken t ON t.position = c.item WHERE t.customer_key IS NOT NULL
"""

_EVENTS = """
INSERT INTO all_events BY NAME
SELECT t.customer_key, t.app_key, e.event, t.happened_at, CAST($at AS TIMESTAMP) AS received_at, d.device_key, t.source,
    t.trust, coalesce(e.active, true) AS active, t.hash, CAST(CAST(e.props AS JSON) AS VARIANT) AS props
FROM in_events e JOIN in_taken t ON t.position = e.item LEFT JOIN in_device_keys d ON d.position = e.item
WHERE t.customer_key IS NOT NULL
"""


def _told(path: str) -> str:
    """SQL: a property of the JSON text `props` as the text it gives a VARIANT, without spaces around it."""
    kind, text = f"json_type(props, '$.{path}')", f"props->>'$.{path}'"
    return (
        f"nullif(trim(CASE WHEN {kind} IN ('VARCHAR', 'UBIGINT', 'BIGINT') THEN {text}"
        f" WHEN {kind} = 'DOUBLE' THEN {text_of_double(f'try_cast({text} AS DOUBLE)')} END), '')"
    )


_TOUCHES = f"""
INSERT INTO touches BY NAME
SELECT t.customer_key, t.app_key, e.event, t.happened_at, t.hash, {_told("url")} AS url,
    {_told("referrer")} AS referrer, coalesce({_told("campaign.id")}, {_told("campaign.name")}) AS campaign, t.source
FROM (SELECT item, event, CAST(props AS JSON) AS props FROM in_events
    WHERE event IN ({STANDARD_EVENTS["page_viewed"].number}, {STANDARD_EVENTS["listing_viewed"].number})) e
JOIN in_taken t ON t.position = e.item WHERE t.customer_key IS NOT NULL
"""


def _store_traits(connection: duckdb.DuckDBPyConnection) -> None:
    sent = connection.execute(
        f"SELECT DISTINCT attribute, value FROM in_traits WHERE attribute IN ({_STANDARD})"
    ).fetchall()
    taken = [normal_trait(attribute, value) for attribute, value in sent]
    rows = pa.table(
        {
            "attribute": pa.array([attribute for attribute, _ in sent], pa.string()),
            "value": pa.array([value for _, value in sent], pa.string()),
            "normal": pa.array([result.value for result in taken], pa.string()),
            "code": pa.array([result.code for result in taken], pa.string()),
        }
    )
    with registered(connection, "normal_traits", rows):
        connection.execute(_TRAITS)


# Ages are checked on the day the item happened, in UTC: a birthday tomorrow is as wrong anywhere.
_TRAITS = f"""
CREATE OR REPLACE TEMP TABLE in_values AS
WITH said AS (
    SELECT r.item AS position, t.customer_key, t.app_key, r.attribute, t.happened_at, t.hash, t.source, t.trust,
        CASE WHEN n.attribute IS NULL THEN r.value ELSE n.normal END AS value, n.code,
        CASE WHEN r.attribute = 'birthday' THEN try_cast(CAST(n.normal AS JSON)->>'$' AS DATE) END AS birthday
    FROM in_traits r JOIN in_taken t ON t.position = r.item
    LEFT JOIN normal_traits n ON n.attribute = r.attribute AND n.value = r.value
    WHERE t.customer_key IS NOT NULL AND r.attribute <> 'email'),
days AS (
    SELECT *, CAST(strftime(happened_at, '%Y%m%d') AS INTEGER) - CAST(strftime(birthday, '%Y%m%d') AS INTEGER) AS age
    FROM said)
SELECT * EXCLUDE (code, birthday, age), CASE
    WHEN code IS NOT NULL THEN code
    WHEN age < 0 OR age >= {(OLDEST_AGE + 1) * 10_000} THEN 'value_out_of_range'
    WHEN strlen(value) > {LONGEST_TEXT_BYTES * 8} THEN 'value_too_long' END AS code
FROM days;
INSERT INTO in_warnings SELECT position, code FROM in_values WHERE code IS NOT NULL;
INSERT INTO in_warnings SELECT v.position, 'trust_too_low' FROM in_values v
    JOIN set_attribute s ON s.attribute = v.attribute WHERE v.code IS NULL AND v.trust < s.accept_from;
INSERT INTO traits
SELECT customer_key, app_key, attribute, value, happened_at, hash, source, trust FROM in_values WHERE code IS NULL;
"""


def _store_emails(connection: duckdb.DuckDBPyConnection) -> None:
    """Addresses stand in `emails`, or in the trait `email`; those from servers are verified (C-10)."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE in_addresses AS"
        " SELECT item, trim(address) AS address, coalesce(verified, false) AS verified FROM in_emails UNION ALL"
        " SELECT item, trim(CAST(value AS JSON)->>'$'), false FROM in_traits"
        " WHERE attribute = 'email' AND json_type(CAST(value AS JSON)) = 'VARCHAR'"
    )
    with _mapping(connection, "normal_emails", "SELECT DISTINCT address FROM in_addresses", normal_email):
        connection.execute(
            "INSERT INTO emails SELECT t.customer_key, nfc_normalize(a.address), n.normal,"
            " bool_or(a.verified OR t.trust = 2), t.happened_at, t.hash, t.source, t.trust"
            " FROM in_addresses a JOIN in_taken t ON t.position = a.item JOIN normal_emails n ON n.text = a.address"
            " WHERE n.normal IS NOT NULL AND t.customer_key IS NOT NULL GROUP BY ALL"
        )
        connection.execute(
            "INSERT INTO in_warnings SELECT a.item, 'email_invalid' FROM in_addresses a"
            " JOIN in_taken t ON t.position = a.item JOIN normal_emails n ON n.text = a.address WHERE n.normal IS NULL"
        )


def _store_devices(connection: duckdb.DuckDBPyConnection) -> None:
    """C-11: an item's device is `device.id`, else the anonymous id. Makes `in_device_keys` (position, device_key)."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE in_seen_devices AS"
        " SELECT t.position, t.app_key, coalesce(d.device_id, t.anonymous_id) AS device_id, t.customer_key,"
        " t.happened_at, t.hash, t.source, d.* EXCLUDE (item, device_id)"
        " FROM in_taken t LEFT JOIN in_devices d ON d.item = t.position"
        " WHERE t.app_key > 0 AND t.customer_key IS NOT NULL AND coalesce(d.device_id, t.anonymous_id) IS NOT NULL"
    )
    if not count_of(connection, "SELECT count(*) FROM in_seen_devices"):
        connection.execute("CREATE OR REPLACE TEMP TABLE in_device_keys (position UINTEGER, device_key UINTEGER)")
        return
    connection.execute(_NEW_DEVICES)
    versions = "SELECT DISTINCT unnest([os_version, app_version]) FROM in_seen_devices"
    with (
        _mapping(connection, "version_keys", versions, lambda text: version_key(text) if is_version(text) else None),
        _mapping(connection, "locale_tags", "SELECT DISTINCT locale FROM in_seen_devices", language_tag),
        _mapping(connection, "zone_names", "SELECT DISTINCT time_zone FROM in_seen_devices", zone_name),
    ):
        connection.execute(_DEVICES)


_NEW_DEVICES = """
INSERT INTO device_ids
SELECT (SELECT coalesce(max(device_key), 0) FROM device_ids) + row_number() OVER (ORDER BY min(s.position)),
    s.app_key, s.device_id
FROM in_seen_devices s ANTI JOIN device_ids d ON d.app_key = s.app_key AND d.device_id = s.device_id
GROUP BY s.app_key, s.device_id;
CREATE OR REPLACE TEMP TABLE in_device_keys AS
SELECT s.position, d.device_key FROM in_seen_devices s
JOIN device_ids d ON d.app_key = s.app_key AND d.device_id = s.device_id;
"""

_FAMILIES = ", ".join(literal(family) for family in DEVICE_FAMILIES)

# One row for each different description of a device: only so do batches add up the same in any order (C-20).
_DEVICES = f"""
INSERT INTO device_sightings BY NAME
SELECT k.device_key, s.customer_key, s.app_key, min(s.happened_at) AS first_at,
    max(row(s.happened_at, s.hash))[1] AS happened_at, max(row(s.happened_at, s.hash))[2] AS hash,
    CASE WHEN s.device_family IS NULL THEN NULL WHEN lower(s.device_family) IN ({_FAMILIES}) THEN lower(s.device_family)
        ELSE 'other' END AS device_family,
    s.os, s.os_version, o.normal AS os_version_key, s.app_version, a.normal AS app_version_key, s.device_model,
    nullif(l.normal, '') AS locale, z.normal AS time_zone, s.source
FROM in_seen_devices s JOIN in_device_keys k USING (position)
LEFT JOIN version_keys o ON o.text = s.os_version LEFT JOIN version_keys a ON a.text = s.app_version
LEFT JOIN locale_tags l ON l.text = s.locale LEFT JOIN zone_names z ON z.text = s.time_zone
GROUP BY ALL
"""


def _store_orders(connection: duckdb.DuckDBPyConnection) -> None:
    with _mapping(connection, "market_codes", "SELECT DISTINCT market FROM in_orders", country_code):
        connection.execute(_ORDERS)


_ORDERS = """
INSERT INTO order_entries BY NAME
SELECT t.customer_key, t.app_key, o.order_id, o.kind, t.happened_at, o.placed_at, t.hash, o.amount_micros,
    nullif(upper(trim(o.currency)), '') AS currency, nullif(trim(o.coupon), '') AS coupon, m.normal AS market,
    t.source, t.trust
FROM in_orders o JOIN in_taken t ON t.position = o.item LEFT JOIN market_codes m ON m.text = o.market;
INSERT INTO order_lines BY NAME
SELECT t.app_key, o.order_id, t.hash, l.line, l.product_id, l.category, l.name, l.price_micros, l.quantity
FROM in_lines l JOIN in_taken t ON t.position = l.item JOIN in_orders o ON o.item = l.item;
INSERT INTO in_warnings
SELECT o.item, 'trust_too_low' FROM in_orders o JOIN in_taken t ON t.position = o.item
JOIN set_app s ON s.app_key = t.app_key WHERE t.trust < s.commerce_trust;
INSERT INTO in_warnings
SELECT o.item, 'currency_assumed' FROM in_orders o JOIN in_taken t ON t.position = o.item
WHERE o.kind IN ('completed', 'updated') AND nullif(trim(o.currency), '') IS NULL AND o.amount_micros IS NOT NULL;
"""


def _mapping(
    connection: duckdb.DuckDBPyConnection, name: str, query: str, normal: Callable[[str], str | None]
) -> AbstractContextManager[None]:
    """Relation `name` (text, normal) of the distinct texts a query gives: decided once per text, not per row."""
    texts = [row[0] for row in connection.execute(query).fetchall() if row[0] is not None]
    rows = pa.table(
        {"text": pa.array(texts, pa.string()), "normal": pa.array([normal(text) for text in texts], pa.string())}
    )
    return registered(connection, name, rows)
