"""The oracle of the warehouse: from the list of all items to what is known of every customer, plainly.

No SQL, no increments, no cleverness: each fact is computed from all items by its sentence in the specification.
Customer and device keys are given in order of arrival.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from muster.engine.reference.devices import Device, devices_of
from muster.engine.reference.events import events_of
from muster.engine.reference.facts import (
    Known,
    acquisitions_of,
    addresses_of,
    app_facts_of,
    birthday_of,
    holdings_of,
    profile_of,
)
from muster.engine.reference.identity import Customer, identify
from muster.engine.reference.orders import Order, orders_of
from muster.engine.reference.usage import Session, place, sessions_of
from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog
from muster.warehouse.items import Item
from muster.warehouse.normal.emails import normal_email
from muster.warehouse.port import Person

Row = dict[str, Any]


def derive_people(items: Sequence[Item], catalog: Catalog, rates: Sequence[Rate] = ()) -> list[Person]:
    """Everybody that exists after the items, in order of arrival."""
    everybody = identify(items, catalog)
    orders = orders_of(everybody, rates, catalog)
    devices = devices_of(everybody)
    keys = {device: number for number, device in enumerate(devices, start=1)}
    return [person_of(customer, orders, devices, keys, catalog) for customer in everybody.customers]


def person_of(
    customer: Customer,
    all_orders: list[Order],
    devices: Mapping[Device, Row],
    keys: Mapping[Device, int],
    catalog: Catalog,
) -> Person:
    """One customer, of all orders and devices there are; `keys`: the numbers of the devices."""
    orders = [order for order in all_orders if order.customer is customer]
    known = Known(
        customer.items, orders, sessions_of(customer.items, catalog), acquisitions_of(customer.items, orders, catalog)
    )
    facts = {app: app_facts_of(app, known, catalog) for app in known.apps()}
    owned = sum(row["acquired_at"] is not None for row in facts.values())
    return Person(
        customer_key=customer.key,
        profile=profile_of(customer, known, owned, catalog),
        app_facts={_app(app, catalog): row for app, row in facts.items()},
        holdings=holdings_of(known, catalog),
        devices=tuple(
            {"app": _app(app, catalog), "device_key": keys[app, device_id], "device_id": device_id, **_described(row)}
            for (app, device_id), row in devices.items()
            if row["customer"] is customer
        ),
        orders=tuple(_order_row(order, catalog) for order in sorted(orders, key=_order_place)),
        sessions=tuple(_session_row(session, keys, catalog) for session in known.sessions),
        events=tuple(events_of(known, catalog)),
        identities=tuple((kind, _app(app, catalog) if app else None, text) for kind, app, text in customer.identities),
        emails=tuple(_emails(customer.items)),
        birthday=birthday_of(customer.items, catalog),
    )


def _described(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "customer"}


def _session_row(session: Session, device_keys: Mapping[Device, int], catalog: Catalog) -> Row:
    return {
        "app": _app(session.app, catalog),
        "device_key": device_keys.get((session.app, session.device or "")),
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "engaged_seconds": session.engaged_seconds,
    }


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
