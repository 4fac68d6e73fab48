"""What one customer's rows say: the values of an attribute, the properties of an event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from muster.engine.context import DEVICE_ACTIVE_DAYS, Context
from muster.kernel.civil import OLDEST_AGE_YEARS, full_years
from muster.rules.nodes import AttributeCondition
from muster.rules.standard import AGE_GROUPS, ZERO_WHEN_ABSENT
from muster.rules.vocabulary import Attribute, Scope, Type
from muster.warehouse.normal.values import property_value as value_as
from muster.warehouse.port import Person

_LOWEST_AGES = (18, 25, 35, 50)


def attribute_values(person: Person, condition: AttributeCondition, context: Context) -> list[Any]:
    """Every value the customer has of the attribute, missing ones included as None; the condition's app is resolved."""
    attribute = context.attribute(condition.attribute)
    if attribute.key in _DERIVED:
        return [_DERIVED[attribute.key](person, context)]
    if attribute.scope is Scope.CUSTOMER:
        return [_value(person.profile, attribute)]
    if attribute.scope is Scope.DEVICE:
        return [_value(device, attribute) for device in active_devices(person, condition.app, context)]
    if attribute.key == "addons_owned":
        return _owned(person, condition.app, context)
    rows = [row for app, row in person.app_facts.items() if condition.app in (None, app)]
    if not rows and attribute.key in ZERO_WHEN_ABSENT:
        return [_zero(attribute)]
    return [_value(row, attribute) for row in rows]


def ranked_value(person: Person, condition: AttributeCondition, context: Context) -> float | None:
    """The value that is ranked: None where nothing stands behind a zero (ADR 0004)."""
    attribute = context.attribute(condition.attribute)
    if attribute.key in ZERO_WHEN_ABSENT:
        row = person.profile if attribute.scope is Scope.CUSTOMER else person.app_facts.get(condition.app or "", {})
        value = row.get(_column(attribute))
        return None if value is None else float(value)
    values = [value for value in attribute_values(person, condition, context) if value is not None]
    if not values:
        return None
    return float(values[0] * 1_000_000 if attribute.type is Type.MONEY else values[0])


def active_devices(person: Person, app: str | None, context: Context) -> list[dict[str, Any]]:
    """Devices seen in the last 90 days (G-7), of one app if it is named."""
    oldest = context.now - timedelta(days=DEVICE_ACTIVE_DAYS)
    return [device for device in person.devices if device["last_seen_at"] > oldest and app in (None, device["app"])]


def device_value(device: dict[str, Any], attribute: Attribute) -> Any:
    return device.get(attribute.key)


def _column(attribute: Attribute) -> str:
    return f"{attribute.key}_micros" if attribute.type is Type.MONEY and attribute.number is None else attribute.key


def _value(row: dict[str, Any], attribute: Attribute) -> Any:
    value = row.get(_column(attribute))
    if value is None:
        return _zero(attribute) if attribute.key in ZERO_WHEN_ABSENT else None
    if attribute.type is Type.MONEY and not isinstance(value, Decimal):
        # Micros, as stored; of somebody shown on a page custom money stands in the currency already.
        return Decimal(value) / 1_000_000
    return value


def _zero(attribute: Attribute) -> Any:
    return Decimal(0) if attribute.type is Type.MONEY else 0


def age_of(person: Person, context: Context) -> int | None:
    """In full years today; None if it is not known."""
    code = person.profile.get("birth_code")
    if code is None:
        return None
    age = full_years(code, context.today_code)
    return age if 0 <= age <= OLDEST_AGE_YEARS else None


def _age_group(person: Person, context: Context) -> str | None:
    age = age_of(person, context)
    label = None
    for lowest, name in zip(_LOWEST_AGES, AGE_GROUPS, strict=True):
        if age is not None and age >= lowest:
            label = name
    return label


def _has_purchased(person: Person, _: Context) -> bool:
    return (person.profile.get("purchase_count") or 0) > 0


_DERIVED: dict[str, Callable[[Person, Context], Any]] = {
    "age": age_of,
    "age_group": _age_group,
    "has_purchased": _has_purchased,
}


def _owned(person: Person, app: str | None, context: Context) -> list[list[str]]:
    """The add-ons owned now, a list per app; an app without any has no value."""
    owned: dict[str, list[str]] = {}
    for holding in person.holdings:
        if app in (None, holding.app) and (holding.expires_at is None or holding.expires_at > context.now):
            owned.setdefault(holding.app, []).append(holding.addon)
    return list(owned.values())


def property_value(properties: dict[str, Any], path: str, type: Type) -> Any:
    """A property in the asked type, None if it is none; dots descend into objects."""
    found: Any = properties
    for part in path.split("."):
        if not isinstance(found, dict) or part not in found:
            return None
        found = found[part]
    # What is read off orders and sessions is exact; what was sent is not.
    return value_as(float(found) if isinstance(found, Decimal) else found, type)
