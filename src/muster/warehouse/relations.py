"""The relations of the warehouse: names, grain and columns, the same on every backend.

Types are Ibis type names. Instants are `timestamp(6)` in UTC without a zone; money is whole micros (10^-6) of a
currency; `customer_key` is unsigned 32 bit, from 1, with gaps (merged and erased customers). Text is stored in NFC.
Definitions may ask the first group only; the second holds what the facts are derived from.
"""

from __future__ import annotations

from collections.abc import Mapping

from muster.rules.vocabulary import Type

Columns = Mapping[str, str]
_KEY = {"customer_key": "uint32"}
_INSTANT = "timestamp(6)"

PROFILES: Columns = _KEY | {  # grain: customer
    "subject": "string",  # bucketing subject (F-31): `c:` + external id, `a:` + anonymous id
    "first_seen_at": _INSTANT,
    "last_seen_at": _INSTANT,
    # Age: YYYYMMDD of the (possibly reckoned) birthday, so that age = (today's code - birth_code) // 10000.
    "birth_code": "int32",
    "gender": "string",
    "country": "string",
    "language": "string",
    "time_zone": "string",
    "name": "string",
    "first_name": "string",
    "last_name": "string",
    "phone": "string",
    "created_at": _INSTANT,
    "profiling_denied": "boolean",  # never null
    # Null without any order (ADR 0004); has_purchased = purchase_count > 0.
    "purchase_count": "int32",
    "first_purchase_at": _INSTANT,
    "last_purchase_at": _INSTANT,
    "store_spend_micros": "int64",
    "acquisition_count": "int32",
    # + c_<number> of custom attributes of customer scope
}

APP_FACTS: Columns = _KEY | {  # grain: customer x app
    "app_key": "uint16",
    "acquired_at": _INSTANT,  # null: known to the app only by identify or listing views, not in its population
    "acquisition_type": "string",
    "addon_acquired_at": _INSTANT,
    "campaign_id": "string",
    "referrer_domain": "string",
    "page_viewed_at": _INSTANT,
    "channel_type": "string",
    "first_used_at": _INSTANT,
    "last_used_at": _INSTANT,
    "session_count": "int32",
    "engagement_minutes": "int32",
    "rating": "float64",
    "rated_at": _INSTANT,
    "app_spend_micros": "int64",
    "churn_predicted": "boolean",
    "churn_probability": "float64",
    # + c_<number> of custom attributes of app scope
}

HOLDINGS: Columns = _KEY | {  # grain: customer x app x owned add-on; `addons_owned` is asked here
    "app_key": "uint16",
    "addon": "string",  # the catalog's product_id
    "expires_at": _INSTANT,  # null: for good. Owned while expires_at > now
}

DEVICES: Columns = _KEY | {  # grain: app x device; active = last_seen_at > now - 90 days
    "app_key": "uint16",
    "device_key": "uint32",
    "device_id": "string",
    "device_family": "string",
    "os": "string",
    "os_version": "string",
    "os_version_key": "string",  # kernel.versions.version_key, null if it is no version
    "app_version": "string",
    "app_version_key": "string",
    "device_model": "string",
    "locale": "string",
    "time_zone": "string",
    "first_seen_at": _INSTANT,
    "last_seen_at": _INSTANT,
}

ORDERS: Columns = _KEY | {  # grain: app x order
    "app_key": "uint16",
    "order_id": "string",
    "happened_at": _INSTANT,
    "amount_micros": "int64",
    "currency": "string",
    "base_micros": "int64",  # in the publisher's currency; null = waits for a rate
    "state": "string",  # completed, cancelled
    "refunded_micros": "int64",
    "refunded_base_micros": "int64",
}

SESSIONS: Columns = _KEY | {
    "app_key": "uint16",
    "device_key": "uint32",
    "started_at": _INSTANT,
    "ended_at": _INSTANT,
    "engaged_seconds": "int32",
}

EVENTS: Columns = _KEY | {  # grain: event; properties are asked through Warehouse.occurrences
    "app_key": "uint16",
    "event": "uint16",
    "happened_at": _INSTANT,
    "received_at": _INSTANT,
    "device_key": "uint32",
    "source": "uint32",
    "trust": "uint8",
}

ASKABLE: Mapping[str, Columns] = {
    "profiles": PROFILES,
    "app_facts": APP_FACTS,
    "holdings": HOLDINGS,
    "devices": DEVICES,
    "orders": ORDERS,
    "sessions": SESSIONS,
    "events": EVENTS,
}

_CUSTOM_TYPES: Mapping[Type, str] = {
    Type.TEXT: "string",
    Type.CATEGORY: "string",
    Type.NUMBER: "float64",
    Type.MONEY: "int64",  # micros of the publisher's currency
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.TIMESTAMP: _INSTANT,
    Type.VERSION: "string",
    Type.LIST: "array<string>",
}


def custom_columns(column: str, type: Type) -> Columns:
    """The columns of a custom attribute `c_<number>`; a version has a sortable `c_<number>_key` beside it (C-30)."""
    columns = {column: _CUSTOM_TYPES[type]}
    return columns | {f"{column}_key": "string"} if type is Type.VERSION else columns
