"""Attributes of customers, apps and devices: where each lives and how it is asked."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import ibis.expr.types as ir

from muster.engine.compile.comparison import any_of, compare, naive
from muster.engine.compile.registry import Keys, Values, Where, compiles
from muster.engine.context import DEVICE_ACTIVE_DAYS, Context
from muster.kernel.civil import OLDEST_AGE_YEARS
from muster.kernel.text import fold
from muster.rules.nodes import AttributeCondition, DeviceCondition, Value
from muster.rules.operators import OPERATORS
from muster.rules.standard import AGE_GROUPS, ZERO_WHEN_ABSENT
from muster.rules.vocabulary import Attribute, Scope, Type
from muster.warehouse.port import Relations

_RELATIONS = {Scope.CUSTOMER: "profiles", Scope.APP: "app_facts", Scope.DEVICE: "devices"}
_AGES_OF_GROUP = {"18-24": (18, 24), "25-34": (25, 34), "35-49": (35, 49), "50+": (50, OLDEST_AGE_YEARS)}
_COLUMNS = {"app_spend": "app_spend_micros", "store_spend": "store_spend_micros"}


@compiles(AttributeCondition)
def attribute_keys(condition: AttributeCondition, context: Context, warehouse: Relations) -> Keys | Where:
    """Customers one of whose values satisfies the condition (G-3, G-7)."""
    attribute = context.attribute(condition.attribute)
    special = _SPECIAL.get(attribute.key)
    if special is not None:
        return special(condition, context, warehouse)
    if attribute.key in ZERO_WHEN_ABSENT:
        return _zero_when_absent(condition, attribute, context, warehouse)
    table = rows_of(attribute, condition.app, context, warehouse)
    return Where(table, _holds(table, attribute, condition, context, warehouse))


@compiles(DeviceCondition)
def device_keys(condition: DeviceCondition, context: Context, warehouse: Relations) -> Where:
    """Customers with one active device that satisfies all conditions together (G-7)."""
    table = active_devices(condition.conditions[0].app, context, warehouse)
    terms = [_device_term(table, one, context, warehouse) for one in condition.conditions]
    return Where(table, reduce(operator.and_, terms))


def _device_term(
    table: ir.Table, condition: AttributeCondition, context: Context, warehouse: Relations
) -> ir.BooleanValue:
    """On one device a missing value satisfies the negative operators (G-3), as on one customer."""
    attribute = context.attribute(condition.attribute)
    negated = OPERATORS[attribute.type][condition.op].negates
    positive = replace(condition, op=negated or condition.op)
    holds = _holds(table, attribute, positive, context, warehouse)
    return ~holds.fill_null(False) if negated else holds


def _holds(
    table: ir.Table, attribute: Attribute, condition: AttributeCondition, context: Context, warehouse: Relations
) -> ir.BooleanValue:
    """Text operators on a category are applied to its few labels first: comparing labels beats reading texts (C-30)."""
    column = column_of(table, attribute)
    if attribute.type is Type.CATEGORY and condition.op != "is_set":
        labels = warehouse.categories(_RELATIONS[attribute.scope], column_name(attribute))
        if labels is not None:
            return column.isin([label for label in labels if label_holds(label, condition.op, condition.value)])
    return compare(column, attribute.type, condition.op, condition.value, context)


def rows_of(attribute: Attribute, app: str | None, context: Context, warehouse: Relations) -> ir.Table:
    """The rows that hold the attribute's values, of one app where it is per app."""
    if attribute.scope is Scope.DEVICE:
        return active_devices(app, context, warehouse)
    table = warehouse.relation(_RELATIONS[attribute.scope])
    return _of_app(table, app, context) if attribute.scope is Scope.APP else table


def active_devices(app: str | None, context: Context, warehouse: Relations) -> ir.Table:
    devices = _of_app(warehouse.relation("devices"), app, context)
    return devices.filter(devices.last_seen_at > naive(context.now - timedelta(days=DEVICE_ACTIVE_DAYS)))


def _of_app(table: ir.Table, app: str | None, context: Context) -> ir.Table:
    return table if app is None else table.filter(table.app_key == context.vocabulary.apps[app])


def column_of(table: ir.Table, attribute: Attribute) -> Any:
    """The column that is compared: custom ones by number, money in micros, versions by their sortable key."""
    return table[column_name(attribute)]


def column_name(attribute: Attribute) -> str:
    """What the store calls the column that is compared."""
    name = _COLUMNS.get(attribute.key, attribute.key) if attribute.number is None else f"c_{attribute.number}"
    return f"{name}_key" if attribute.type is Type.VERSION else name


def _zero_when_absent(
    condition: AttributeCondition, attribute: Attribute, context: Context, warehouse: Relations
) -> Where:
    """Counts and sums are 0 where there is no row, so what 0 satisfies is asked the other way round (ADR 0004)."""
    table = rows_of(attribute, condition.app, context, warehouse)
    if condition.op == "is_set":
        return _everybody(warehouse)
    column = column_of(table, attribute)
    # Null where nothing was counted: zero is not written over it, because only plain columns are compared fast.
    holds = compare(column, attribute.type, condition.op, condition.value, context)
    if not zero_satisfies(condition.op, condition.value):
        return Where(table, holds)
    if condition.app is not None:
        return Where(table, ~holds, complement=True)
    return Where(table, column.isnull() | holds)


def _everybody(warehouse: Relations) -> Where:
    profiles = warehouse.relation("profiles")
    return Where(profiles, profiles.customer_key.notnull())


def zero_satisfies(op: str, value: Value) -> bool:
    """Whether a number operator holds for 0."""
    zero = Decimal(0)
    match op, value:
        case "is", Decimal():
            return value == zero
        case "in", tuple():
            return zero in value
        case "between", (Decimal() as low, Decimal() as high):
            return low <= zero <= high
        case "gt", Decimal():
            return zero > value
        case "gte", Decimal():
            return zero >= value
        case "lt", Decimal():
            return zero < value
        case "lte", Decimal():
            return zero <= value
    return False


def _age(condition: AttributeCondition, context: Context, warehouse: Relations) -> Where:
    return of_ages(ages_satisfying(condition.op, condition.value), context, warehouse)


def _age_group(condition: AttributeCondition, context: Context, warehouse: Relations) -> Where:
    """Text operators choose among the four labels; the chosen ones are ranges of ages (C-30)."""
    chosen = [label for label in AGE_GROUPS if label_holds(label, condition.op, condition.value)]
    return of_ages([_AGES_OF_GROUP[label] for label in chosen], context, warehouse)


def label_holds(label: str, op: str, value: Value) -> bool:
    """A positive text operator on one label of a closed category."""
    if op == "is_set":
        return True
    folded = fold(label)
    if op == "in":
        assert isinstance(value, tuple)
        return folded in {fold(str(one)) for one in value}
    wanted = fold(str(value))
    return {
        "is": folded == wanted,
        "contains": wanted in folded,
        "starts_with": folded.startswith(wanted),
        "ends_with": folded.endswith(wanted),
    }[op]


def ages_satisfying(op: str, value: Value) -> list[tuple[int, int]]:
    """Ranges of whole ages, both ends included, within 0..120."""
    match op, value:
        case "is_set", _:
            ranges = [(0, OLDEST_AGE_YEARS)]
        case "is", Decimal():
            ranges = [_whole(value, value)]
        case "in", tuple():
            ranges = [_whole(one, one) for one in value if isinstance(one, Decimal)]
        case "between", (Decimal() as low, Decimal() as high):
            ranges = [_whole(low, high)]
        case "gte", Decimal():
            ranges = [(math.ceil(value), OLDEST_AGE_YEARS)]
        case "gt", Decimal():
            ranges = [(math.floor(value) + 1, OLDEST_AGE_YEARS)]
        case "lte", Decimal():
            ranges = [(0, math.floor(value))]
        case "lt", Decimal():
            ranges = [(0, math.ceil(value) - 1)]
        case _:
            raise KeyError(op)
    clipped = [(max(low, 0), min(high, OLDEST_AGE_YEARS)) for low, high in ranges]
    return [(low, high) for low, high in clipped if low <= high]


def _whole(low: Decimal, high: Decimal) -> tuple[int, int]:
    return math.ceil(low), math.floor(high)


def of_ages(ages: Iterable[tuple[int, int]], context: Context, warehouse: Relations) -> Where:
    """An age from a to b is a birth code in (today - (b + 1) years, today - a years]."""
    profiles = warehouse.relation("profiles")
    today = context.today_code
    terms = [
        (profiles.birth_code > today - (high + 1) * 10_000) & (profiles.birth_code <= today - low * 10_000)
        for low, high in ages
    ]
    return Where(profiles, any_of(terms))


def _has_purchased(condition: AttributeCondition, _: Context, warehouse: Relations) -> Where:
    if condition.op == "is_set":
        return _everybody(warehouse)
    profiles = warehouse.relation("profiles")
    return Where(profiles, profiles.purchase_count > 0, complement=condition.value is False)


def _addons_owned(condition: AttributeCondition, context: Context, warehouse: Relations) -> Keys:
    """Owned for good, or until an instant that is still ahead: derived now, because subscriptions end by themselves."""
    holdings = _of_app(warehouse.relation("holdings"), condition.app, context)
    held = holdings.filter(holdings.expires_at.isnull() | (holdings.expires_at > naive(context.now)))
    if condition.op == "is_set":
        return Keys(held.select("customer_key"))
    assert isinstance(condition.value, tuple)
    named = held.filter(held.addon.isin(condition.value))
    if condition.op == "has_any":
        return Keys(named.select("customer_key"))
    # "All of them" means all in one app where no app is named, as every value of an attribute belongs to one app.
    counted = named.group_by("customer_key", "app_key").aggregate(owned=named.addon.nunique())
    return Keys(counted.filter(counted.owned == len(condition.value)).select("customer_key"))


_SPECIAL: dict[str, Callable[[AttributeCondition, Context, Relations], Keys | Where]] = {
    "age": _age,
    "age_group": _age_group,
    "has_purchased": _has_purchased,
    "addons_owned": _addons_owned,
}


def attribute_values(condition: AttributeCondition, context: Context, warehouse: Relations) -> Values:
    """The values that a rank operator compares; customers with nothing behind the value have none (ADR 0004)."""
    attribute = context.attribute(condition.attribute)
    table = rows_of(attribute, condition.app, context, warehouse)
    if attribute.key == "age":
        age = (context.today_code - table.birth_code) // 10_000
        table = table.mutate(value=age).filter(lambda rows: rows.value.between(0, OLDEST_AGE_YEARS))
    else:
        table = table.mutate(value=column_of(table, attribute))
    rows = table.filter(table.value.notnull()).select("customer_key", value=table.value.cast("float64"))
    return Values(rows, condition.op, condition.value)
