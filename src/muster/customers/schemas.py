"""What the customers API gives."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ninja import Schema

from muster.customers.queries import ImportView
from muster.kernel.ids import customer_id
from muster.warehouse.port import Person

PERSONAL = frozenset({"name", "first_name", "last_name", "phone"})
_NOT_ATTRIBUTES = frozenset({"customer_key", "subject", "birth_code", "profiling_denied"})


class ApplyIn(Schema):
    max_invalid: int = 0


def import_json(view: ImportView) -> dict[str, Any]:
    shown = {name: _plain(value) for name, value in asdict(view).items()}
    return shown | {"job": {"id": view.job} if view.job else None}


def customer_json(person: Person, *, personal: bool, currency: str) -> dict[str, Any]:
    """Everything known of one person; fields marked personal only for who may see them."""
    shown = {
        "id": customer_id(person.customer_key),
        "external_id": next((text for kind, _, text in person.identities if kind == "external"), None),
        "anonymous_ids": [{"app": app, "id": text} for kind, app, text in person.identities if kind == "anonymous"],
        "attributes": {
            name: _plain(value)
            for name, value in person.profile.items()
            if value is not None and name not in _NOT_ATTRIBUTES and (personal or name not in PERSONAL)
        },
        "profiling_denied": bool(person.profile.get("profiling_denied")),
        "apps": {app: _facts(facts, currency) for app, facts in person.app_facts.items()},
        "orders": [_plain(dict(order)) for order in person.orders],
        "devices": [_plain(dict(device)) for device in person.devices],
    }
    if personal:
        shown["emails"] = [_plain(dict(email)) for email in person.emails]
        shown["birthday"] = _plain(person.birthday)
    return shown


def _facts(facts: dict[str, Any], currency: str) -> dict[str, Any]:
    shown = {name: _plain(value) for name, value in facts.items() if value is not None}
    micros = shown.pop("app_spend_micros", None)
    if micros is not None:
        shown["app_spend"] = {"amount_micros": micros, "currency": currency}
    return shown


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
