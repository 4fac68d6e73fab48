"""What a message says of an order: amount, lines, refunds (C-23, C-25)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from muster.rules.vocabulary import Type
from muster.warehouse.items import Line, OrderEntry
from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.normal.values import attribute_value, decimal_of, text_of

ORDER_EVENTS = {
    "order_completed": "completed",
    "order_updated": "updated",
    "order_cancelled": "cancelled",
    "order_refunded": "refunded",
}
_LARGEST_QUANTITY = Decimal(10) ** 12
_MOST_MICROS = 2**63 - 1
_LONGEST = 1_024


def order_of(kind: str, properties: dict[str, Any], spend_basis: str, own_id: str) -> OrderEntry:
    """`own_id` stands for an order that has no id of its own; what takes one back must name it."""
    order_id = _text(properties, "order_id", "orderId")
    if order_id is None and kind != "completed":
        raise MessageRefused("It does not say of which order: `order_id` is missing.", code="order_id_missing")
    lines = tuple(_lines(properties.get("products")))
    return OrderEntry(
        kind=kind,
        order_id=order_id or own_id,
        amount_micros=_amount(kind, properties, lines, spend_basis),
        currency=_text(properties, "currency"),
        coupon=_text(properties, "coupon"),
        market=_text(properties, "market"),
        lines=lines,
    )


def _amount(kind: str, properties: dict[str, Any], lines: tuple[Line, ...], spend_basis: str) -> int | None:
    """Micros; None for a cancelled order, and for a refund of all that is left."""
    if kind == "cancelled":
        return None
    first, second = ("total", "revenue") if spend_basis == "total" or kind == "refunded" else ("revenue", "total")
    for name in (first, second, "value"):
        micros = micros_of(properties.get(name))
        if micros is not None:
            return micros
    told = [line for line in lines if line.price_micros is not None]
    if not told:
        return None
    amount = sum(int((line.price_micros or 0) * (1 if line.quantity is None else line.quantity)) for line in told)
    amount -= micros_of(properties.get("discount")) or 0
    return amount if abs(amount) <= _MOST_MICROS else None


def micros_of(value: Any) -> int | None:
    """Whole micros of a number, or of one that is written as text."""
    micros = attribute_value(value, Type.MONEY)
    return micros if isinstance(micros, int) else None


def _lines(products: Any) -> list[Line]:
    if not isinstance(products, list):
        return []
    return [line_of(product) for product in products if isinstance(product, dict)]


def line_of(product: dict[str, Any]) -> Line:
    return Line(
        product_id=_text(product, "product_id", "productId", "sku", "id"),
        category=_text(product, "category"),
        name=_text(product, "name"),
        price_micros=micros_of(product.get("price")),
        quantity=_quantity(product.get("quantity")),
    )


def _quantity(value: Any) -> Decimal | None:
    number = attribute_value(value, Type.NUMBER)
    exact = decimal_of(number) if isinstance(number, float) else None
    return exact if exact is not None and abs(exact) < _LARGEST_QUANTITY else None


def _text(outer: dict[str, Any], *names: str) -> str | None:
    for name in names:
        text = text_of(outer.get(name))
        if text is not None and 0 < len(text.strip()) <= _LONGEST:
            return text
    return None
