"""The files of the bundled sample as an import takes them, each with what its columns are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from muster.groups.sample import rows

CUSTOMERS: dict[str, Any] = {
    "kind": "customers",
    "row": {
        "external_id": "customer",
        "email": "email",
        "happened_at": {"value": "2015-01-01"},
        "traits": {
            "first_name": "first_name",
            "last_name": "last_name",
            "gender": "gender",
            "education": "education",
            "occupation": "occupation",
            "marital_status": "marital_status",
            "birthday": {"column": "birthday", "type": "date"},
            "annual_income": {"column": "annual_income", "type": "number"},
            "total_children": {"column": "total_children", "type": "number"},
            "home_owner": {"column": "home_owner", "type": "boolean"},
        },
    },
}
ORDERS: dict[str, Any] = {
    "kind": "orders",
    "row": {
        "external_id": "customer",
        "happened_at": {"column": "day", "format": "%Y-%m-%d", "zone": "UTC"},
        "market": "market",
        "currency": {"value": "USD"},
        "products": {
            "group_by": "order",
            "product_id": "product",
            "category": "category",
            "name": "name",
            "price": "price",
            "quantity": "quantity",
        },
    },
}
EVENTS: dict[str, Any] = {
    "kind": "events",
    "row": {
        "external_id": "customer",
        "event": "event",
        "happened_at": "at",
        "device_id": "device",
        "device_family": "family",
        "os": "os",
        "os_version": "os_version",
        "app_version": "app_version",
        "device_model": "model",
        "properties": {
            "acquisition_type": "acquisition_type",
            "campaign.id": "campaign",
            "url": "url",
            "referrer": "referrer",
            "rating": {"column": "rating", "type": "number"},
            "generated": {"column": "generated", "type": "boolean"},
        },
    },
}

FILES = 1 + 2 * len(rows.APPS)


@dataclass(frozen=True)
class SampleFile:
    """`content` makes it when it is wanted: together they are large."""

    name: str
    mapping: dict[str, Any]
    content: Callable[[], bytes]


def sample_files(now: datetime, customers: list[rows.Row], currency: str, seed: int) -> Iterator[SampleFile]:
    """In the order they are taken in.

    Nobody's own is told in another currency for a sample: its amounts are told in the publisher's.
    """
    orders = {app: rows.read(f"orders-{app}") for app in rows.APPS}
    shift = rows.shift_for(now.date(), [row for ordered in orders.values() for row in ordered], customers)
    moved = {app: rows.shifted(ordered, "day", shift.orders) for app, ordered in orders.items()}
    buyers = {row["customer"] for ordered in moved.values() for row in ordered}
    strangers = [row["customer"] for row in customers if row["customer"] not in buyers]
    # Who never ordered looks around in one of the apps.
    riders = strangers[::3]
    around = {app: riders if app == "adventure-rides" else sorted(set(strangers) - set(riders)) for app in rows.APPS}
    people = rows.shifted(customers, "birthday", shift.birthdays)
    yield SampleFile("customers.csv", CUSTOMERS, partial(rows.csv_bytes, people))
    for app, ordered in moved.items():
        told = {"kind": ORDERS["kind"], "row": {**ORDERS["row"], "currency": {"value": currency}}, "app": app}
        yield SampleFile(f"orders of {app}.csv", told, partial(rows.csv_bytes, ordered))
        name = f"generated visits of {app}.csv"
        yield SampleFile(name, {**EVENTS, "app": app}, partial(_visits, ordered, around[app], now, seed))


def _visits(orders: list[rows.Row], strangers: list[str], now: datetime, seed: int) -> bytes:
    return rows.csv_bytes(list(rows.visits(orders, strangers, now, seed)))
