"""`muster demo`: real customers to look around with, loaded by the same API everybody uses, and removed again."""

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
_ORDERS: dict[str, Any] = {
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
@click.option("--seed", type=int, default=sample.SEED, show_default=True, help="Of what is generated: visits, lists.")
@answers
def load(client: Client, seed: int) -> Answer:
    """Loads AdventureWorks (Microsoft's sample, MIT) with 8 segments and 2 known user groups."""
    if client.get("/demo")["loaded"]:
        groups = [client.get(f"/groups/{key}") for key in client.get("/demo")["groups"]]
        return Answer({"loaded": False, "groups": groups}, _sizes(groups))
    for key, name in sample.APPS.items():
        client.post("/demo/apps", {"key": key, "name": {"en": name}})
    customers = sample.read("customers")
    # What is somebody's own is not told in another currency for a sample: its amounts are told in the publisher's.
    currency = client.get("/publisher")["currency"]
    for file in _files(datetime.now(UTC), customers, currency, seed):
        click.echo(f"  {file.name}", err=True)
        _import(client, file)
    groups = [_copy(client, *segment) for segment in sample.SEGMENTS]
    groups += [_list(client, name, sample.listed(customers, name, seed)) for name in sample.LISTS]
    return Answer({"loaded": True, "groups": groups}, _sizes(groups))


@demo.command("remove")
@click.option("--confirm", help="The name of the sample, AdventureWorks; otherwise it is asked for.")
@answers
def remove(client: Client, confirm: str | None) -> Answer:
    """Removes what `muster demo load` brought, and nothing else."""
    if confirm is None:
        confirm = click.prompt("Type AdventureWorks to remove the demo data", err=True)
    done = follow_job_in(client, client.post("/demo/remove", {"confirm": confirm}))
    removed = done["result"] if done else {}
    text = "Removed: " + ", ".join(f"{count} {what}" for what, count in removed.items()) + "."
    return Answer(removed, text)


def _files(now: datetime, customers: list[sample.Row], currency: str, seed: int) -> list[_File]:
    orders = {app: sample.read(f"orders-{app}") for app in sample.APPS}
    shift = sample.shift_for(now.date(), [row for rows in orders.values() for row in rows], customers)
    moved = {app: sample.shifted(rows, "day", shift.orders) for app, rows in orders.items()}
    buyers = {row["customer"] for rows in moved.values() for row in rows}
    strangers = [row["customer"] for row in customers if row["customer"] not in buyers]
    people = sample.shifted(customers, "birthday", shift.birthdays)
    files = [_File("customers.csv", _CUSTOMERS, sample.csv_bytes(people))]
    for app, rows in moved.items():
        told = {"kind": _ORDERS["kind"], "row": {**_ORDERS["row"], "currency": {"value": currency}}, "app": app}
        files.append(_File(f"orders of {app}.csv", told, sample.csv_bytes(rows)))
        # Who never ordered looks around in one of the apps.
        around = strangers[::3] if app == "adventure-rides" else [one for one in strangers if one not in strangers[::3]]
        events = list(sample.visits(rows, around, now, seed))
        files.append(_File(f"generated visits of {app}.csv", {**_EVENTS, "app": app}, sample.csv_bytes(events)))
    return files


def _import(client: Client, file: _File) -> None:
    mapping = yaml.safe_dump(file.mapping, sort_keys=False).encode()
    parts = {
        "file": (file.name, io.BytesIO(file.content)),
        "mapping": ("mapping.yaml", io.BytesIO(mapping), "application/yaml"),
    }
    _apply(client, client.post("/imports", files=parts))


def _apply(client: Client, begun: dict[str, Any]) -> None:
    """Marked before anything is taken in, so that no row of the sample is ever without its mark."""
    _mark(client, "import", begun["id"])
    follow_job_in(client, begun)
    follow_job_in(client, client.post(f"/imports/{begun['id']}/apply", {"max_invalid": 0}))


def _mark(client: Client, kind: str, identifier: str) -> None:
    client.post("/demo/things", {"kind": kind, "id": identifier})


def _copy(client: Client, app: str, template: str, name: str) -> dict[str, Any]:
    fields = {"app": app, "name": f"{name}, {sample.APPS[app]}"}
    copied: dict[str, Any] = client.post(f"/group-templates/{template}/copy", fields)
    _mark(client, "group", copied["id"])
    return copied


def _list(client: Client, name: str, addresses: list[str]) -> dict[str, Any]:
    made = client.post("/groups", {"name": name, "kind": "known"})
    _mark(client, "group", made["id"])
    file = io.BytesIO("\n".join(["email", *addresses]).encode())
    _apply(client, client.post(f"/groups/{made['id']}/imports", files={"file": (f"{name}.csv", file)}))
    filled: dict[str, Any] = client.get(f"/groups/{made['id']}")
    return filled


def _sizes(groups: list[dict[str, Any]]) -> str:
    width = max((len(group["name"]) for group in groups), default=0)
    return "\n".join(f"{group['name']:<{width}}  {_size(group):>8}" for group in groups)


def _size(group: dict[str, Any]) -> str:
    if group.get("small"):
        return "Small"
    return "-" if group["size"] is None else f"{group['size']:,}"
