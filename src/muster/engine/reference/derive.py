"""The oracle of the warehouse: from the list of all items to what is known of every customer, plainly.

No SQL, no increments, no cleverness: each fact is computed from all items by its sentence in the specification.
Customer and device keys are given in order of arrival.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from muster.engine.reference.facts import (
    Acquisition,
    acquisitions_of,
    addresses_of,
    app_facts_of,
    birthday_of,
    holdings_of,
    profile_of,
)
from muster.engine.reference.identity import Customer, Everybody, identify
from muster.engine.reference.orders import Order, orders_of
from muster.engine.reference.usage import Session, device_of, number_of, place, sessions_of
from muster.kernel.versions import is_version, version_key
from muster.rules.standard import DEVICE_FAMILIES
from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog
from muster.warehouse.items import Item
from muster.warehouse.normal.emails import normal_email
from muster.warehouse.normal.languages import language_tag
from muster.warehouse.normal.zones import zone_name
from muster.warehouse.port import Person, PersonEvent

Device = tuple[int, str]


def derive_people(items: Sequence[Item], catalog: Catalog, rates: Sequence[Rate] = ()) -> list[Person]:
    """Everybody that exists after the items, in order of arrival."""
    everybody = identify(items, catalog)
    orders = orders_of(everybody, rates, catalog)
    devices = _devices(everybody)
    keys = {device: number for number, device in enumerate(devices, start=1)}
    return [_person(customer, orders, devices, keys, catalog) for customer in everybody.customers]


def _person(
    customer: Customer,
    all_orders: list[Order],
    devices: dict[Device, dict[str, Any]],
    device_keys: dict[Device, int],
    catalog: Catalog,
) -> Person:
    items = customer.items
    orders = [order for order in all_orders if order.customer is customer]
    sessions = sessions_of(items, catalog)
    acquisitions = acquisitions_of(items, orders, catalog)
    apps = sorted(
        {item.app for item in items if item.app} | {o.app for o in orders if o.counts} | {a.app for a in acquisitions}
    )
    facts = {app: app_facts_of(app, items, orders, sessions, acquisitions, catalog) for app in apps}
    owned = sum(row["acquired_at"] is not None for row in facts.values())
    return Person(
        customer_key=customer.key,
        profile=profile_of(customer, orders, acquisitions, owned, catalog),
        app_facts={_app(app, catalog): row for app, row in facts.items()},
        holdings=holdings_of(items, acquisitions, catalog),
        devices=tuple(
            {
                "app": _app(app, catalog),
                "device_key": device_keys[app, device_id],
                "device_id": device_id,
                **{name: value for name, value in row.items() if name != "customer"},
            }
            for (app, device_id), row in devices.items()
            if row["customer"] is customer
        ),
        orders=tuple(_order_row(order, catalog) for order in sorted(orders, key=_order_place)),
        sessions=tuple(
            {
                "app": _app(session.app, catalog),
                "device_key": device_keys.get((session.app, session.device or "")),
                "started_at": session.started_at,
                "ended_at": session.ended_at,
                "engaged_seconds": session.engaged_seconds,
            }
            for session in sessions
        ),
        events=tuple(_events(items, all_orders, orders, sessions, acquisitions, customer, catalog)),
        identities=tuple(
            (kind, _app(app, catalog) if app else None, unicodedata.normalize("NFC", text))
            for kind, app, text in customer.identities
        ),
        emails=tuple(_emails(items)),
        birthday=birthday_of(items, catalog),
    )


def _app(app: int, catalog: Catalog) -> str:
    return catalog.app_keys.get(app, str(app))


def _order_place(order: Order) -> tuple[Any, ...]:
    return order.happened_at, order.app, order.order_id


def _order_row(order: Order, catalog: Catalog) -> dict[str, Any]:
    return {
        "app": _app(order.app, catalog),
        "order_id": order.order_id,
        "happened_at": order.happened_at,
        "amount_micros": order.amount_micros,
        "currency": order.currency,
        "base_micros": order.base_micros,
        "state": "cancelled" if order.cancelled else "completed",
        "refunded_micros": order.refunded_micros,
        "refunded_base_micros": order.refunded_base_micros,
    }


def _devices(everybody: Everybody) -> dict[Device, dict[str, Any]]:
    """Each device with what is newest known of it; whose who last signed in there (C-11)."""
    seen: dict[Device, list[tuple[Item, Customer]]] = defaultdict(list)
    for customer in everybody.customers:
        for item in customer.items:
            device_id = device_of(item)
            if item.app and device_id is not None:
                seen[item.app, device_id].append((item, customer))
    devices = {}
    for device, sightings in seen.items():
        ordered = sorted((item for item, _ in sightings), key=place)
        owner = max(sightings, key=lambda sighting: (sighting[1].identified, place(sighting[0])))[1]
        devices[device] = {
            "customer": owner,
            **_description(ordered),
            "first_seen_at": ordered[0].happened_at,
            "last_seen_at": ordered[-1].happened_at,
        }
    return devices


def _description(items: list[Item]) -> dict[str, Any]:
    def newest(column: str) -> str | None:
        told = [getattr(item.device, column) for item in items if item.device]
        return next((value for value in reversed(told) if value is not None), None)

    def newest_known(column: str, read: Any) -> str | None:
        told = [read(value) for item in items if item.device and (value := getattr(item.device, column)) is not None]
        return next((value for value in reversed(told) if value), None)

    family = newest("device_family")
    return {
        "device_family": family if family is None else family.lower() if family.lower() in DEVICE_FAMILIES else "other",
        "os": newest("os"),
        "os_version": newest("os_version"),
        "os_version_key": newest_known("os_version", _version_key),
        "app_version": newest("app_version"),
        "app_version_key": newest_known("app_version", _version_key),
        "device_model": newest("device_model"),
        "locale": newest_known("locale", language_tag),
        "time_zone": newest_known("time_zone", zone_name),
    }


def _version_key(text: str) -> str | None:
    return version_key(text) if is_version(text) else None


def _events(
    items: list[Item],
    all_orders: list[Order],
    orders: list[Order],
    sessions: list[Session],
    acquisitions: list[Acquisition],
    customer: Customer,
    catalog: Catalog,
) -> list[PersonEvent]:
    keys = {event.number: key for key, event in STANDARD_EVENTS.items()} | dict(catalog.event_keys)
    events = [
        PersonEvent(
            _app(item.app, catalog),
            keys.get(item.event.event, str(item.event.event)),
            item.happened_at,
            _sent(dict(item.event.props)),
        )
        for item in items
        if item.event and item.event.event != number_of("session")
    ]
    for order in orders:
        app = _app(order.app, catalog)
        if order.sells:
            events.append(PersonEvent(app, "order_completed", order.happened_at, _told(order)))
            events += [
                PersonEvent(
                    app,
                    "product_purchased",
                    order.happened_at,
                    _sent(
                        {
                            "order_id": order.order_id,
                            "product_id": line.product_id,
                            "category": line.category,
                            "name": line.name,
                            "price": _units(line.price_micros),
                            "quantity": None if line.quantity is None else float(line.quantity),
                        }
                    ),
                )
                for line in order.lines
            ]
        for entry in order.entries:
            if entry.order.kind != "completed":
                told = {
                    "order_id": order.order_id,
                    "total": _units(entry.order.amount_micros),
                    "currency": (entry.order.currency or "").strip().upper() or None,
                    "coupon": (entry.order.coupon or "").strip(" ") or None,
                }
                events.append(PersonEvent(app, f"order_{entry.order.kind}", entry.item.happened_at, _sent(told)))
    for acquisition in acquisitions:
        if not acquisition.explicit:
            app = _app(acquisition.app, catalog)
            if acquisition.addon is None:
                told = {"acquisition_type": acquisition.acquisition_type, "order_name": acquisition.order_id}
                events.append(PersonEvent(app, "app_acquired", acquisition.happened_at, _sent(told)))
            else:
                told = {"addon": acquisition.addon, "order_id": acquisition.order_id}
                events.append(PersonEvent(app, "addon_acquired", acquisition.happened_at, _sent(told)))
    events += [_session_event(session, catalog) for session in sessions]
    return sorted(events, key=lambda event: event.happened_at)


def _told(order: Order) -> dict[str, Any]:
    return _sent(
        {
            "order_id": order.order_id,
            "total": _units(order.amount_micros),
            "currency": order.currency,
            "coupon": order.coupon,
        }
    )


def _session_event(session: Session, catalog: Catalog) -> PersonEvent:
    told = {
        "session_id": session.session_id,
        "started_at": _stamp(session.started_at),
        "ended_at": _stamp(session.ended_at),
        "engaged_seconds": float(session.engaged_seconds),
    }
    return PersonEvent(_app(session.app, catalog), "session", session.started_at, _sent(told))


def _stamp(instant: Any) -> str:
    return str(instant.isoformat(timespec="microseconds").replace("+00:00", "Z"))


def _units(micros: int | None) -> float | None:
    return None if micros is None else micros / 1_000_000


def _sent(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


def _emails(items: list[Item]) -> list[dict[str, Any]]:
    """Newest first. An address once verified stays so."""
    told: dict[str, list[tuple[Item, str, bool]]] = defaultdict(list)
    for item, address, verified in addresses_of(items):
        if normal := normal_email(address):
            told[normal].append((item, unicodedata.normalize("NFC", address), verified))
    rows = [
        (
            max((*place(item), normal) for item, _, _ in words),
            {
                "address": max(words, key=lambda word: (place(word[0]), word[1]))[1],
                "normal": normal,
                "verified": any(verified for _, _, verified in words),
                "since": min(item.happened_at for item, _, _ in words),
            },
        )
        for normal, words in told.items()
    ]
    return [row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True)]
