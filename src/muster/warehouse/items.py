"""One item in plain Python: a message or file row with all it says. `BatchBuilder.add` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from muster.warehouse.catalog import Trust


@dataclass(frozen=True)
class Line:
    product_id: str | None = None
    category: str | None = None
    name: str | None = None
    price_micros: int | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True)
class OrderEntry:
    """What happened to an order: `kind` completed, updated, cancelled or refunded (`amount_micros` None: the rest).

    `placed_at`: when the order was made, if that is not when the item happened.
    """

    kind: str
    order_id: str
    placed_at: datetime | None = None
    amount_micros: int | None = None
    currency: str | None = None
    coupon: str | None = None
    market: str | None = None
    lines: tuple[Line, ...] = ()


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


@dataclass(frozen=True)
class Email:
    address: str
    verified: bool = False


@dataclass(frozen=True)
class Consent:
    purpose: str
    granted: bool
    channel: str | None = None
    text_version: str | None = None


@dataclass(frozen=True)
class Occurrence:
    """An event by number. `active` False: not use of the app whatever the catalog says (C-22)."""

    event: int
    props: Mapping[str, Any] = field(default_factory=dict)
    active: bool = True


@dataclass(frozen=True)
class Item:
    """`hash` is 16 bytes (C-19), `app` the app's number or 0. Traits: keys as in the catalog, None removes a value."""

    hash: bytes
    happened_at: datetime
    app: int = 0
    external_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    trust: Trust = Trust.SERVER
    source: int = 0
    traits: Mapping[str, Any] = field(default_factory=dict)
    event: Occurrence | None = None
    order: OrderEntry | None = None
    emails: tuple[Email, ...] = ()
    consents: tuple[Consent, ...] = ()
    device: Device | None = None
    body: str | None = None
    verdict: str | None = None
    """Why it is not taken, if whoever received it said so: it is only kept to be looked at."""
    place: str | None = None
    """Names the request it came in for ever; None: if it is refused, it cannot be taken once more."""
    nth: int = 0
    """Which of the request's messages it is."""


def flat_traits(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects by dotted path; `address.country` is the country (C-16)."""
    flat = dict(_flatten(traits, ""))
    if "address.country" in flat:
        flat["country"] = flat.pop("address.country")
    return flat


def _flatten(traits: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in traits.items():
        flat += _flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(prefix + key, value)]
    return flat
