"""What is appended to a warehouse in one transaction: items in columns, and what becomes of them.

An item is one message or file row: who (ids), when, from which app and source, how far believed. What it says stands
in the other tables, which name it by `item`, its row number. Everything vectorised stays in Arrow; `BatchBuilder`
makes the same tables from single calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from types import MappingProxyType

import pyarrow as pa
from pyroaring import BitMap

_INSTANT = pa.timestamp("us")
_ITEM = ("item", pa.uint32())

ITEMS = pa.schema(
    [
        ("app_key", pa.uint16()),  # 0: of no app (an import of customers, REST)
        ("external_id", pa.string()),
        ("anonymous_id", pa.string()),
        ("previous_id", pa.string()),  # alias: whom `external_id` was before
        ("happened_at", _INSTANT),
        ("hash", pa.binary(16)),  # C-19: equal hashes are one item
        ("trust", pa.uint8()),
        ("source", pa.uint32()),
        ("body", pa.string()),  # what was received, kept with the verdict if the item is refused
        ("verdict", pa.string()),  # refused by whoever received it; null: the warehouse decides
        ("place", pa.string()),  # names the request for ever; null: what is refused cannot be taken once more
        ("nth", pa.uint32()),  # which of the request's messages it is
    ]
)
TRAITS = pa.schema([_ITEM, ("attribute", pa.string()), ("value", pa.string())])
"""`value` is JSON text; `null` removes the value."""
EVENTS = pa.schema([_ITEM, ("event", pa.uint16()), ("active", pa.bool_()), ("props", pa.string())])
"""`active` false: not use of the app whatever the catalog says (C-22). `props` is a JSON object; the sender's campaign
stands in `campaign` {id, name, source}, the page in `url` and `referrer`."""
ORDERS = pa.schema(
    [
        _ITEM,
        ("kind", pa.string()),  # completed, updated, cancelled, refunded
        ("order_id", pa.string()),
        ("placed_at", _INSTANT),  # when the order was made, if that is not when the item happened
        ("amount_micros", pa.int64()),  # refunded: null is the whole rest
        ("currency", pa.string()),
        ("coupon", pa.string()),
        ("market", pa.string()),
    ]
)
LINES = pa.schema(
    [
        _ITEM,
        ("line", pa.int32()),
        ("product_id", pa.string()),
        ("category", pa.string()),
        ("name", pa.string()),
        ("price_micros", pa.int64()),
        ("quantity", pa.decimal128(18, 6)),
    ]
)
EMAILS = pa.schema([_ITEM, ("address", pa.string()), ("verified", pa.bool_())])
CONSENTS = pa.schema(
    [
        _ITEM,
        ("purpose", pa.string()),
        ("channel", pa.string()),
        ("granted", pa.bool_()),
        ("text_version", pa.string()),
    ]
)
DEVICES = pa.schema(
    [
        _ITEM,
        ("device_id", pa.string()),
        ("device_family", pa.string()),
        ("os", pa.string()),
        ("os_version", pa.string()),
        ("app_version", pa.string()),
        ("device_model", pa.string()),
        ("locale", pa.string()),
        ("time_zone", pa.string()),
    ]
)

PARTS: Mapping[str, pa.Schema] = MappingProxyType(
    {
        "traits": TRAITS,
        "events": EVENTS,
        "orders": ORDERS,
        "lines": LINES,
        "emails": EMAILS,
        "consents": CONSENTS,
        "devices": DEVICES,
    }
)
"""Missing columns count as null. At most one order and one device an item."""


Tell = Callable[[str], str]


@dataclass(frozen=True)
class Batch:
    """`items` has the columns of ITEMS, in order of arrival; `parts` those of PARTS. Absent columns are null.

    `tell`: what is to be known of the request at a place to take its messages once more; asked of refused ones only.
    """

    received_at: datetime
    items: pa.Table
    parts: Mapping[str, pa.Table] = field(default_factory=dict)
    tell: Tell | None = None


@dataclass(frozen=True)
class Rate:
    """What one unit of a currency was worth in the publisher's currency on a day; exact, either way it is published."""

    day: date
    currency: str
    rate: Fraction


@dataclass(frozen=True)
class Merge:
    """`loser` is retired: it leaves every group, its id answers with the survivor."""

    loser: int
    survivor: int


@dataclass(frozen=True)
class Note:
    """A remark about one item (its row in the batch): a verdict that refused it, or a warning."""

    item: int
    code: str
    refused: bool


@dataclass(frozen=True)
class Outcome:
    """`touched`: customers whose rows may have changed, retired ones among them. `counts`: items per verdict
    (`accepted`, `duplicate`, refusals), warnings beside them in `warnings`."""

    touched: BitMap
    counts: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    merges: tuple[Merge, ...] = ()
    new_customers: int = 0
    identities: tuple[tuple[str, int, str, int], ...] = ()
    """(kind, app or 0, text, customer key) of every identity that is new or now names another customer."""
