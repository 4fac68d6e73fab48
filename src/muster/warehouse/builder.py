"""Makes a batch from single calls, for whoever has items one by one: the drain of the spool, REST, tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from muster.warehouse.batch import ITEMS, PARTS, Batch
from muster.warehouse.catalog import Trust


@dataclass(frozen=True)
class Line:
    product_id: str | None = None
    category: str | None = None
    name: str | None = None
    price_micros: int | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True)
class Device:
    device_id: str
    device_family: str | None = None
    os: str | None = None
    os_version: str | None = None
    app_version: str | None = None
    device_model: str | None = None
    locale: str | None = None
    time_zone: str | None = None


class BatchBuilder:
    """`item(...)` begins an item, the other calls say what it carries; `build` gives the batch."""

    def __init__(self, received_at: datetime) -> None:
        self._received_at = received_at
        self._items: list[dict[str, Any]] = []
        self._parts: dict[str, list[dict[str, Any]]] = {name: [] for name in PARTS}

    def item(
        self,
        hash: bytes,
        *,
        app: int = 0,
        external_id: str | None = None,
        anonymous_id: str | None = None,
        previous_id: str | None = None,
        happened_at: datetime | None = None,
        trust: Trust = Trust.SERVER,
        source: int = 0,
        body: str | None = None,
    ) -> BatchBuilder:
        """`app` is the app's number, `hash` 16 bytes; without `happened_at` it happened when it was received."""
        self._items.append(
            {
                "app_key": app,
                "external_id": external_id,
                "anonymous_id": anonymous_id,
                "previous_id": previous_id,
                "happened_at": _naive(happened_at or self._received_at),
                "hash": hash,
                "trust": int(trust),
                "source": source,
                "body": body,
            }
        )
        return self

    def traits(self, traits: Mapping[str, Any]) -> BatchBuilder:
        """Keys as the catalog has them (C-1), nested objects by dotted path; None removes a value (C-16)."""
        flat = _flatten(traits)
        if "address.country" in flat:
            flat["country"] = flat.pop("address.country")
        for attribute, value in flat.items():
            self._say("traits", attribute=attribute, value=json.dumps(value, ensure_ascii=False))
        return self

    def event(self, event: int, props: Mapping[str, Any] | None = None, *, active: bool = True) -> BatchBuilder:
        self._say("events", event=event, active=active, props=json.dumps(props or {}, ensure_ascii=False))
        return self

    def order(
        self,
        kind: str,
        order_id: str,
        *,
        placed_at: datetime | None = None,
        amount_micros: int | None = None,
        currency: str | None = None,
        coupon: str | None = None,
        market: str | None = None,
        lines: Sequence[Line] = (),
    ) -> BatchBuilder:
        self._say(
            "orders",
            kind=kind,
            order_id=order_id,
            placed_at=_naive(placed_at) if placed_at else None,
            amount_micros=amount_micros,
            currency=currency,
            coupon=coupon,
            market=market,
        )
        for number, line in enumerate(lines):
            self._say("lines", line=number, **vars(line))
        return self

    def email(self, address: str, *, verified: bool = False) -> BatchBuilder:
        self._say("emails", address=address, verified=verified)
        return self

    def consent(
        self, purpose: str, granted: bool, *, channel: str | None = None, text_version: str | None = None
    ) -> BatchBuilder:
        self._say("consents", purpose=purpose, channel=channel, granted=granted, text_version=text_version)
        return self

    def device(self, device: Device) -> BatchBuilder:
        self._say("devices", **vars(device))
        return self

    def build(self) -> Batch:
        parts = {name: pa.Table.from_pylist(rows, PARTS[name]) for name, rows in self._parts.items() if rows}
        return Batch(self._received_at, pa.Table.from_pylist(self._items, ITEMS), parts)

    def _say(self, part: str, **columns: Any) -> None:
        self._parts[part].append({"item": len(self._items) - 1, **columns})


def _naive(instant: datetime) -> datetime:
    """The store's form: UTC without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def _flatten(traits: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in traits.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
