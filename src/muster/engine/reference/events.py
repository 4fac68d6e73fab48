"""The occurrences of one customer in plain Python: those sent, and those read off orders and sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from muster.engine.reference.facts import Acquisition, Known
from muster.engine.reference.orders import Order
from muster.engine.reference.usage import Session, number_of
from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.catalog import Catalog
from muster.warehouse.items import Line
from muster.warehouse.port import PersonEvent


def events_of(known: Known, catalog: Catalog) -> list[PersonEvent]:
    """Oldest first."""
    keys = {event.number: key for key, event in STANDARD_EVENTS.items()} | dict(catalog.event_keys)
    events = [
        PersonEvent(
            _app(item.app, catalog),
            keys.get(item.event.event, str(item.event.event)),
            item.happened_at,
            _told(**item.event.props),
        )
        for item in known.items
        # A reported session is in the sessions.
        if item.event and item.event.event != number_of("session")
    ]
    for order in known.orders:
        events += _of_order(order, _app(order.app, catalog))
    events += [_of_acquisition(one, _app(one.app, catalog)) for one in known.acquisitions if not one.explicit]
    events += [_of_session(session, _app(session.app, catalog)) for session in known.sessions]
    return sorted(events, key=lambda event: event.happened_at)


def _of_order(order: Order, app: str) -> Iterator[PersonEvent]:
    if order.sells:
        told = _told(
            order_id=order.order_id, total=_units(order.amount_micros), currency=order.currency, coupon=order.coupon
        )
        yield PersonEvent(app, "order_completed", order.happened_at, told)
        for line in order.lines:
            yield PersonEvent(app, "product_purchased", order.happened_at, _line(order, line))
    for entry in order.entries:
        if entry.order.kind != "completed":
            told = _told(
                order_id=order.order_id,
                total=_units(entry.order.amount_micros),
                currency=(entry.order.currency or "").strip().upper() or None,
                coupon=(entry.order.coupon or "").strip(" ") or None,
            )
            yield PersonEvent(app, f"order_{entry.order.kind}", entry.item.happened_at, told)


def _line(order: Order, line: Line) -> dict[str, Any]:
    return _told(
        order_id=order.order_id,
        product_id=line.product_id,
        category=line.category,
        name=line.name,
        price=_units(line.price_micros),
        quantity=None if line.quantity is None else float(line.quantity),
    )


def _of_acquisition(one: Acquisition, app: str) -> PersonEvent:
    if one.addon is None:
        told = _told(acquisition_type=one.acquisition_type, order_name=one.order_id)
        return PersonEvent(app, "app_acquired", one.happened_at, told)
    return PersonEvent(app, "addon_acquired", one.happened_at, _told(addon=one.addon, order_id=one.order_id))


def _of_session(session: Session, app: str) -> PersonEvent:
    told = _told(
        session_id=session.session_id,
        started_at=_stamp(session.started_at),
        ended_at=_stamp(session.ended_at),
        engaged_seconds=float(session.engaged_seconds),
    )
    return PersonEvent(app, "session", session.started_at, told)


def _app(app: int, catalog: Catalog) -> str:
    return catalog.app_keys.get(app, str(app))


def _stamp(instant: Any) -> str:
    return str(instant.isoformat(timespec="microseconds").replace("+00:00", "Z"))


def _units(micros: int | None) -> float | None:
    return None if micros is None else micros / 1_000_000


def _told(**properties: Any) -> dict[str, Any]:
    """Properties that are null are not there."""
    return {name: value for name, value in properties.items() if value is not None}
