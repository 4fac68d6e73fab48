"""The warehouse as of an instant: the raw rows that had happened by then, and every fact derived from them anew (G-29).

Sightings of people and devices are kept by batch, with their first and last instant: one that spans the instant is
cut off there. A device's own description is then the one of the batch, which may be later. A trait that was first said
after the instant keeps today's value. An objection counts whenever it was made: asking of the past is done today.
"""

from __future__ import annotations

from datetime import datetime

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from muster.warehouse.duckdb.append import naive
from muster.warehouse.duckdb.scratch import registered

_PORTION_ROWS = 100_000
_HAPPENED = ("touches", "emails", "order_entries", "churn_scores")
# What has no time, or is asked by what has.
_ALWAYS = ("merges", "rates", "device_ids")

_FIRST_SAID_LATER = (
    "SELECT customer_key, app_key, attribute FROM traits WHERE {mine} GROUP BY ALL HAVING min(happened_at) > $at"
)


def said_later(source: duckdb.DuckDBPyConnection, at: datetime) -> list[str]:
    """The attributes of which somebody said the first value after the instant."""
    rows = source.execute(f"SELECT DISTINCT attribute FROM ({_at(_FIRST_SAID_LATER, at, 'true')}) ORDER BY 1")
    return [attribute for (attribute,) in rows.fetchall()]


def _at(query: str, at: datetime, mine: str) -> str:
    return query.replace("$at", f"TIMESTAMP '{naive(at).isoformat(sep=' ')}'").replace("{mine}", mine)


def copy_past(
    source: duckdb.DuckDBPyConnection, target: duckdb.DuckDBPyConnection, at: datetime, keys: BitMap | None
) -> None:
    """Fills the raw tables of an empty warehouse; with `keys` only of these customers (and orders that name them)."""
    mine = "true" if keys is None else "customer_key IN (SELECT customer_key FROM asked_keys)"
    for table, query in _queries().items():
        rows = _selected(source, _at(query, at, mine), keys)
        with registered(target, "past_rows", rows):
            target.execute(f"INSERT INTO {table} BY NAME {_REPACKED.get(table, 'FROM past_rows')}")


def _selected(source: duckdb.DuckDBPyConnection, query: str, keys: BitMap | None) -> pa.RecordBatchReader:
    source.register("asked_keys", pa.table({"customer_key": pa.array(list(keys or ()), pa.uint32())}))
    return source.sql(query).to_arrow_reader(_PORTION_ROWS)


# Properties travel as text: Arrow has no variants.
_REPACKED = {"all_events": "SELECT * REPLACE (CAST(CAST(props AS JSON) AS VARIANT) AS props) FROM past_rows"}


def _queries() -> dict[str, str]:
    """What is taken of every raw table; `$at` and `{mine}` are still open."""
    queries = {table: f"SELECT * FROM {table} WHERE happened_at <= $at AND {{mine}}" for table in _HAPPENED}
    queries |= {table: f"SELECT * FROM {table}" for table in _ALWAYS}
    return queries | {
        "consents": "SELECT * FROM consents WHERE {mine}",
        "usage_carry": "SELECT * FROM usage_carry WHERE last_used_at <= $at AND {mine}",
        "traits": f"""SELECT * FROM traits WHERE happened_at <= $at AND {{mine}} UNION ALL
            SELECT * REPLACE ($at AS happened_at) FROM traits
            SEMI JOIN ({_FIRST_SAID_LATER}) l USING (customer_key, app_key, attribute)
            QUALIFY row_number() OVER (PARTITION BY customer_key, app_key, attribute
                ORDER BY happened_at DESC, hash DESC, value DESC) = 1""",
        "sightings": """SELECT * REPLACE (least(last_at, $at) AS last_at) FROM sightings
            WHERE first_at <= $at AND {mine}""",
        "device_sightings": """SELECT * REPLACE (least(happened_at, $at) AS happened_at) FROM device_sightings
            WHERE first_at <= $at AND {mine}""",
        "identities": """SELECT * FROM identities WHERE {mine} AND customer_key IN
            (SELECT customer_key FROM sightings WHERE first_at <= $at)""",
        "order_lines": """SELECT l.* FROM order_lines l SEMI JOIN
            (SELECT * FROM order_entries WHERE happened_at <= $at AND {mine}) e ON e.hash = l.hash""",
        "all_events": """SELECT * REPLACE (CAST(CAST(props AS JSON) AS VARCHAR) AS props) FROM all_events
            WHERE happened_at <= $at AND {mine}""",
    }
