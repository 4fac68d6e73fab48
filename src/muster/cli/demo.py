"""`muster demo load`: an empty installation becomes one with real customers, by the same API everybody uses."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
import yaml

from muster.cli import sample_data as sample
from muster.cli.client import Client
from muster.cli.output import Answer, answers, follow_job_in

_CUSTOMERS = {
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
_ORDERS = {
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
_EVENTS = {
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


@dataclass(frozen=True)
class _File:
    name: str
    mapping: dict[str, Any]
    content: bytes


@click.group()
def demo() -> None:
    """Sample data to look around with."""


@demo.command("load")
@answers
def load(client: Client) -> Answer:
    """Loads AdventureWorks (Microsoft's sample, MIT) and a segment of every template."""
    if any(app["key"] in sample.APPS for app in client.items("/apps")):
        groups = client.get("/groups", limit=200)["items"]
        return Answer({"loaded": False, "groups": groups}, _sizes(groups))
    for key, name in sample.APPS.items():
        client.post("/apps", json={"key": key, "name": {"en": name}})
    publisher = client.get("/publisher")
    # The sample's prices are in dollars; without rates they would all wait for one.
    client.patch("/publisher", {"currency": "USD"}, publisher["revision"])
    for file in _files(datetime.now(UTC)):
        click.echo(f"  {file.name}", err=True)
        _import(client, file)
    groups = [_copy(client, template, app) for app in sample.APPS for template in _templates(client, app)]
    return Answer({"loaded": True, "groups": groups}, _sizes(groups))


def _files(now: datetime) -> list[_File]:
    customers = sample.read("customers")
    orders = {app: sample.read(f"orders-{app}") for app in sample.APPS}
    shift = sample.shift_for(now.date(), [row for rows in orders.values() for row in rows], customers)
    moved = {app: sample.shifted(rows, "day", shift.orders) for app, rows in orders.items()}
    buyers = {row["customer"] for rows in moved.values() for row in rows}
    strangers = [row["customer"] for row in customers if row["customer"] not in buyers]
    people = sample.shifted(customers, "birthday", shift.birthdays)
    files = [_File("customers.csv", _CUSTOMERS, sample.csv_bytes(people))]
    for app, rows in moved.items():
        files.append(_File(f"orders of {app}.csv", {**_ORDERS, "app": app}, sample.csv_bytes(rows)))
        # Who never ordered looks around in one of the apps.
        around = strangers[::3] if app == "adventure-rides" else [one for one in strangers if one not in strangers[::3]]
        events = list(sample.visits(rows, around, now))
        files.append(_File(f"generated visits of {app}.csv", {**_EVENTS, "app": app}, sample.csv_bytes(events)))
    return files


def _import(client: Client, file: _File) -> None:
    mapping = yaml.safe_dump(file.mapping, sort_keys=False).encode()
    parts = {
        "file": (file.name, io.BytesIO(file.content)),
        "mapping": ("mapping.yaml", io.BytesIO(mapping), "application/yaml"),
    }
    started = client.post("/imports", files=parts)
    follow_job_in(client, started)
    follow_job_in(client, client.post(f"/imports/{started['id']}/apply", json={"max_invalid": 0}))


def _templates(client: Client, app: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/group-templates", app=app)["items"]
    return found


def _copy(client: Client, template: dict[str, Any], app: str) -> dict[str, Any]:
    name = f"{template['name']}, {sample.APPS[app]}"
    copied: dict[str, Any] = client.post(f"/group-templates/{template['key']}/copy", json={"app": app, "name": name})
    return copied


def _sizes(groups: list[dict[str, Any]]) -> str:
    width = max((len(group["name"]) for group in groups), default=0)
    return "\n".join(f"{group['name']:<{width}}  {_size(group):>8}" for group in groups)


def _size(group: dict[str, Any]) -> str:
    if group.get("small"):
        return "Small"
    return "-" if group["size"] is None else f"{group['size']:,}"
