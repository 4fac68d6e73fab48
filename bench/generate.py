"""A seeded publisher of any size, written straight into the warehouse's tables: 1.38 apps and 10 events a customer.

Everything is a hash of the row's number, so the same size gives the same data on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.keys import remember_highest_key
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_NOW = "TIMESTAMP '2026-11-21 12:00:00'"
EVENTS = {"level_up": 300, "shared": 301, "app_opened": 2, "screen_viewed": 3, "app_crashed": 7}
APPS = {"notes": 1, "rides": 2}
COUNTRIES = ("US", "DE", "FR", "GB", "NO", "SE", "ES", "IT", "JP", "BR")


@dataclass(frozen=True)
class Size:
    customers: int
    events: int


SIZES = {
    "small": Size(100_000, 1_000_000),
    "medium": Size(1_000_000, 10_000_000),
    "full": Size(10_000_000, 100_000_000),
}

# `r(salt)` is a number in 0..1 that depends on the row and the salt only.
_MACROS = """
CREATE OR REPLACE TEMP MACRO r(i, salt) AS (hash(i * 1000003 + salt) % 1000000007) / 1000000007.0;
CREATE OR REPLACE TEMP MACRO pick(i, salt, labels) AS labels[1 + CAST(floor(pow(r(i, salt), 2) * len(labels)) AS INT)];
"""


def prepare(directory: Path, size: Size, resources: Resources) -> DuckDBWarehouse:
    """Opens the publisher of this size in `directory`, generating it at the first call."""
    warehouse = DuckDBWarehouse(directory, resources)
    if warehouse.highest_key() == 0:
        for statement in _statements(size):
            warehouse.submit(lambda connection, text=statement: _run(connection, text)).result()
        warehouse.submit(lambda connection: remember_highest_key(connection, size.customers)).result()
        warehouse.checkpoint()
    return warehouse


def _run(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    connection.execute(_MACROS)
    connection.execute(statement)


def _statements(size: Size) -> list[str]:
    n = size.customers
    return [
        _profiles(n),
        *(_app_facts(n, app, share) for app, share in ((1, 0.9), (2, 0.48))),
        _devices(n),
        *_events(size),
    ]


def _profiles(n: int) -> str:
    countries = "[" + ", ".join(f"'{country}'" for country in COUNTRIES) + "]"
    return f"""
INSERT INTO profiles BY NAME
SELECT CAST(i AS UINTEGER) AS customer_key, 'c:' || i AS subject,
    CASE WHEN r(i, 1) < 0.9
        THEN CAST(strftime(DATE '2026-11-21' - CAST(5000 + r(i, 2) * 21000 AS INT), '%Y%m%d') AS INT)
    END AS birth_code,
    CASE WHEN r(i, 3) < 0.45 THEN 'male' WHEN r(i, 3) < 0.9 THEN 'female' END AS gender,
    CASE WHEN r(i, 4) < 0.95 THEN pick(i, 5, {countries}) END AS country,
    pick(i, 6, ['en', 'de', 'fr', 'es', 'ja']) AS language,
    r(i, 7) < 0.01 AS profiling_denied,
    CASE WHEN r(i, 8) < 0.4 THEN CAST(1 + floor(pow(r(i, 9), 4) * 40) AS INT) END AS purchase_count,
    CASE WHEN r(i, 8) < 0.4 THEN {_NOW} - INTERVAL (CAST(r(i, 10) * 63072000 AS BIGINT)) SECOND END AS last_purchase_at,
    CASE WHEN r(i, 8) < 0.4 THEN CAST(pow(r(i, 11), 6) * 500000000 AS BIGINT) * 10 END AS store_spend_micros
FROM range(1, {n + 1}) t(i)"""


def _app_facts(n: int, app: int, share: float) -> str:
    s = app * 100
    return f"""
INSERT INTO app_facts BY NAME
SELECT CAST(i AS UINTEGER) AS customer_key, CAST({app} AS USMALLINT) AS app_key,
    {_NOW} - INTERVAL (CAST(r(i, {s + 1}) * 94608000 AS BIGINT)) SECOND AS acquired_at,
    pick(i, {s + 2}, ['free', 'trial', 'paid', 'promo_code']) AS acquisition_type,
    CASE WHEN r(i, {s + 3}) < 0.3 THEN pick(i, {s + 4}, ['spring', 'summer', 'autumn', 'winter']) END AS campaign_id,
    {_NOW} - INTERVAL (CAST(pow(r(i, {s + 5}), 3) * 31536000 AS BIGINT)) SECOND AS last_used_at,
    CAST(floor(pow(r(i, {s + 6}), 4) * 300) AS INT) AS session_count,
    CASE WHEN r(i, {s + 7}) < 0.2 THEN 1 + floor(r(i, {s + 8}) * 5) END AS rating,
    CASE WHEN r(i, {s + 9}) < 0.3 THEN CAST(pow(r(i, {s + 10}), 6) * 300000000 AS BIGINT) * 10 END AS app_spend_micros
FROM range(1, {n + 1}) t(i) WHERE r(i, {s}) < {share}"""


def _devices(n: int) -> str:
    return f"""
INSERT INTO devices BY NAME
SELECT CAST(i AS UINTEGER) AS customer_key, CAST(1 AS USMALLINT) AS app_key, CAST(i AS UINTEGER) AS device_key,
    pick(i, 400, ['phone', 'desktop', 'tablet']) AS device_family, pick(i, 401, ['Android', 'iOS', 'Windows']) AS os,
    {_NOW} - INTERVAL (CAST(r(i, 402) * 15552000 AS BIGINT)) SECOND AS last_seen_at
FROM range(1, {n + 1}) t(i) WHERE r(i, 403) < 0.9"""


def _events(size: Size) -> list[str]:
    """Sorted by event, customer and time, as compaction will leave them; only `shared` carries properties."""
    shares = {"app_opened": 0.45, "screen_viewed": 0.35, "level_up": 0.15, "app_crashed": 0.04, "shared": 0.01}
    return [_event(name, round(size.events * share), size.customers) for name, share in shares.items()]


def _event(name: str, rows: int, customers: int) -> str:
    number = EVENTS[name]
    props = (
        "{'level': CAST(floor(r(i, 505) * 50) AS BIGINT), 'world': pick(i, 506, ['north', 'south', 'east'])}::VARIANT"
    )
    return f"""
INSERT INTO all_events BY NAME
SELECT CAST(1 + floor(r(i, {number + 1000}) * {customers}) AS UINTEGER) AS customer_key,
    CAST(CASE WHEN r(i, 501) < 0.7 THEN 1 ELSE 2 END AS USMALLINT) AS app_key, CAST({number} AS USMALLINT) AS event,
    {_NOW} - INTERVAL (CAST(r(i, {number + 2000}) * 31536000 AS BIGINT)) SECOND AS happened_at,
    {_NOW} AS received_at, CAST(2 AS UTINYINT) AS trust, {props if name == "shared" else "NULL"} AS props
FROM range({rows}) t(i) ORDER BY customer_key, happened_at"""
