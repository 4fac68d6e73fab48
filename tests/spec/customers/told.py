"""Short words for telling histories."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Scope, Type
from muster.warehouse.catalog import AddOn, AddOnKind, App, Catalog, CustomAttribute, EventKind, Trust
from muster.warehouse.items import Item, Occurrence, OrderEntry

RECEIVED = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = datetime(2026, 11, 2, tzinfo=UTC)
NOTES, SHOP, GAME = 1, 2, 3
LEVEL_UP, BILLED = 300, 301

CATALOG = Catalog(
    apps={
        "notes": App("notes", NOTES, own_domains=("notes.example",), listing_urls=("https://store.example/notes",)),
        "shop": App("shop", SHOP, default_currency="USD", store_ids=("app-shop",), commerce_trust=Trust.SIGNED),
        "game": App("game", GAME, sessions_reported=True, signed_identity=True),
    },
    zone="America/New_York",
    currency="EUR",
    addons=(
        AddOn("notes", "pro", AddOnKind.DURABLE, skus=("sku-9",)),
        AddOn("notes", "coins", AddOnKind.CONSUMABLE),
        AddOn("notes", "club", AddOnKind.SUBSCRIPTION),
    ),
    events={key: EventKind(key, event.number, event.is_activity) for key, event in STANDARD_EVENTS.items()}
    | {"level_up": EventKind("level_up", LEVEL_UP, True), "billed": EventKind("billed", BILLED, False)},
    attributes={
        "plan": CustomAttribute("plan", 1, Type.TEXT),
        "seats": CustomAttribute("seats", 2, Type.NUMBER, accept_from=Trust.SIGNED),
        "budget": CustomAttribute("budget", 3, Type.MONEY),
        "level": CustomAttribute("level", 9, Type.NUMBER, Scope.APP),
    },
    standard_accept_from={"gender": Trust.SERVER},
)

_numbers = itertools.count(1)


def at(hours: float = 0, minutes: float = 0, seconds: float = 0, days: float = 0) -> datetime:
    return DAY + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def item(happened_at: datetime = DAY, *, user: str | None = "u1", **fields: Any) -> Item:
    """An item of its own; later items have greater hashes."""
    return Item(hash=next(_numbers).to_bytes(16, "big"), happened_at=happened_at, external_id=user, **fields)


def event(key: str, happened_at: datetime = DAY, *, app: int = NOTES, active: bool = True, **fields: Any) -> Item:
    """`user`, `anonymous_id`, `trust`, `device` are the item's, `props` the event's."""
    props = fields.pop("props", {})
    return item(happened_at, app=app, event=Occurrence(CATALOG.events[key].number, props, active), **fields)


def order(
    kind: str, order_id: str, amount_micros: int | None, happened_at: datetime = DAY, *, app: int = NOTES, **fields: Any
) -> Item:
    names = ("currency", "coupon", "market", "lines", "placed_at")
    said = {name: fields.pop(name) for name in names if name in fields}
    said.setdefault("currency", "EUR")
    return item(happened_at, app=app, order=OrderEntry(kind, order_id, amount_micros=amount_micros, **said), **fields)
