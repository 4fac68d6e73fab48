"""All that was ever said of somebody, as it is kept: what an export hands over (C-44)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.catalog import Catalog, Trust
from muster.warehouse.duckdb.scratch import registered

# Name of what is handed over -> its rows. Hashes of items and numbers of rows say nothing of a person.
_QUERIES: Mapping[str, str] = {
    "identities": "SELECT kind, app_key, text AS id, since FROM identities {mine} ORDER BY kind DESC, app_key, text",
    "merges": "SELECT loser, survivor, merged_at FROM merges WHERE survivor IN (SELECT customer_key FROM asked_raw)"
    " ORDER BY merged_at, loser",
    "attributes": "SELECT app_key, attribute, value, happened_at, source, trust FROM traits {mine}"
    " ORDER BY attribute, happened_at, value",
    "emails": "SELECT address, normal, verified, happened_at, source, trust FROM emails {mine} ORDER BY happened_at",
    "consents": "SELECT purpose, channel, granted, text_version, happened_at, source, trust FROM consents {mine}"
    " ORDER BY happened_at, purpose",
    "seen": "SELECT app_key, first_at, last_at, source FROM sightings {mine} ORDER BY first_at",
    "devices": "SELECT s.app_key, d.device_id, s.* EXCLUDE (device_key, customer_key, app_key, hash, os_version_key,"
    " app_version_key) FROM device_sightings s JOIN device_ids d USING (device_key) {mine} ORDER BY s.first_at",
    "orders": "SELECT app_key, order_id, kind, happened_at, placed_at, amount_micros, currency, coupon, market, source,"
    " trust, (SELECT list({'line': l.line, 'product_id': l.product_id, 'category': l.category, 'name': l.name,"
    " 'price_micros': l.price_micros, 'quantity': CAST(l.quantity AS VARCHAR)} ORDER BY l.line) FROM order_lines l"
    " WHERE l.app_key = o.app_key AND l.order_id = o.order_id AND l.hash = o.hash) AS lines"
    " FROM order_entries o {mine} ORDER BY happened_at, order_id",
    "events": "SELECT app_key, event, happened_at, received_at, source, trust, active,"
    " CAST(CAST(props AS JSON) AS VARCHAR) AS props FROM all_events {mine} ORDER BY happened_at, event",
    "churn": "SELECT app_key, predicted, probability, happened_at FROM churn_scores {mine} ORDER BY happened_at",
}


def raw_rows(
    connection: duckdb.DuckDBPyConnection, keys: BitMap, catalog: Catalog, names: Collection[str] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Rows by name, instants as RFC 3339 text, apps and events by key, `source` null where it was no import.

    `names`: of what is wanted; None is everything.
    """
    event_keys = {event.number: key for key, event in STANDARD_EVENTS.items()} | dict(catalog.event_keys)
    asked = pa.table({"customer_key": pa.array(np.array(keys, dtype=np.uint32))})
    found = {}
    with registered(connection, "asked_raw", asked):
        for name, query in _QUERIES.items():
            if names is not None and name not in names:
                continue
            mine = "WHERE customer_key IN (SELECT customer_key FROM asked_raw)"
            rows = connection.execute(query.replace("{mine}", mine))
            columns = [column[0] for column in rows.description]
            found[name] = [
                _told(dict(zip(columns, values, strict=True)), catalog, event_keys) for values in rows.fetchall()
            ]
    return found


def _told(row: dict[str, Any], catalog: Catalog, event_keys: Mapping[int, str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in row.items():
        match name:
            case "app_key":
                told["app"] = catalog.app_keys.get(value) if value else None
            case "event":
                told["event"] = event_keys.get(value, str(value))
            case "trust":
                told["trust"] = Trust(value).name.lower()
            case "source":
                told["import"] = value or None
            case "props":
                told["properties"] = json.loads(value) if value else {}
            case "value":
                told["value"] = json.loads(value)
            case _:
                told[name] = _plain(value)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value
