"""Makes a batch from single items, for whoever has them one by one: the drain of the spool, REST, tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from muster.warehouse.batch import ITEMS, PARTS, Batch, Tell
from muster.warehouse.items import Item, OrderEntry, flat_traits


def batch_of(items: Iterable[Item], received_at: datetime, tell: Tell | None = None) -> Batch:
    """The items in their order as one batch."""
    builder = BatchBuilder(received_at)
    for item in items:
        builder.add(item)
    return replace(builder.build(), tell=tell)


class BatchBuilder:
    """Collects items; `build` gives the batch."""

    def __init__(self, received_at: datetime) -> None:
        self._received_at = received_at
        self._items: list[dict[str, Any]] = []
        self._parts: dict[str, list[dict[str, Any]]] = {name: [] for name in PARTS}

    def add(self, item: Item) -> None:
        self._items.append(
            {
                "app_key": item.app,
                "external_id": item.external_id,
                "anonymous_id": item.anonymous_id,
                "previous_id": item.previous_id,
                "happened_at": _naive(item.happened_at),
                "hash": item.hash,
                "trust": int(item.trust),
                "source": item.source,
                "body": item.body,
                "verdict": item.verdict,
                "place": item.place,
                "nth": item.nth,
            }
        )
        for attribute, value in flat_traits(item.traits).items():
            self._say("traits", attribute=attribute, value=as_json(value))
        if item.event:
            self._say("events", event=item.event.event, active=item.event.active, props=as_json(dict(item.event.props)))
        if item.order:
            self._order(item.order)
        for email in item.emails:
            self._say("emails", **asdict(email))
        for consent in item.consents:
            self._say("consents", **asdict(consent))
        if item.device:
            self._say("devices", **asdict(item.device))

    def build(self) -> Batch:
        parts = {name: pa.Table.from_pylist(rows, PARTS[name]) for name, rows in self._parts.items() if rows}
        return Batch(self._received_at, pa.Table.from_pylist(self._items, ITEMS), parts)

    def _order(self, order: OrderEntry) -> None:
        columns = {name: value for name, value in vars(order).items() if name != "lines"}
        columns["placed_at"] = _naive(order.placed_at) if order.placed_at else None
        self._say("orders", **columns)
        for number, line in enumerate(order.lines):
            self._say("lines", line=number, **asdict(line))

    def _say(self, part: str, **columns: Any) -> None:
        self._parts[part].append({"item": len(self._items) - 1, **columns})


def as_json(value: Any) -> str:
    """As values and properties are stored: compact, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _naive(instant: datetime) -> datetime:
    """The store's form: UTC without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)
