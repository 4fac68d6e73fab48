"""Writes nodes as JSON documents, leaving out what `decode` assumes anyway."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import singledispatch
from typing import Any

from muster.kernel.durations import format_duration
from muster.rules.moments import format_instant
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Definition,
    DeviceCondition,
    EventCondition,
    Everyone,
    GroupCondition,
    Measure,
    Node,
    NoneOf,
    PropertyFilter,
    SampleCondition,
    Scalar,
    SequenceCondition,
    Step,
    Value,
    Window,
)
from muster.rules.numbers import json_number

Document = dict[str, Any]


def encode_definition(definition: Definition) -> Document:
    return {"version": definition.version, "app": definition.app, "match": encode_node(definition.match)}


@singledispatch
def encode_node(node: Node) -> Document:
    """The document of one node."""
    raise TypeError(f"{type(node).__name__} is not a node of a definition")


@encode_node.register
def _(node: All) -> Document:
    return {"all": [encode_node(child) for child in node.nodes]}


@encode_node.register
def _(node: AnyOf) -> Document:
    return {"any": [encode_node(child) for child in node.nodes]}


@encode_node.register
def _(node: NoneOf) -> Document:
    return {"none": [encode_node(child) for child in node.nodes]}


@encode_node.register
def _(node: AttributeCondition) -> Document:
    return {"attribute": node.attribute} | _comparison(node.op, node.value) | _app(node.app)


@encode_node.register
def _(node: EventCondition) -> Document:
    document: Document = {"event": node.event} | _where(node.where) | _app(node.app)
    if node.measure != Measure():
        document["measure"] = _measure(node.measure)
    if (node.measure, node.op, node.value) != (Measure(), "gte", Decimal(1)):
        document |= _comparison(node.op, node.value)
    return document | _when(node.when)


@encode_node.register
def _(node: SequenceCondition) -> Document:
    return {"sequence": [_step(step) for step in node.steps]} | _when(node.when) | _app(node.app)


@encode_node.register
def _(node: GroupCondition) -> Document:
    return {"group": node.group}


@encode_node.register
def _(node: SampleCondition) -> Document:
    return {"sample": {"percent": json_number(Decimal(node.basis_points) / 100), "salt": node.salt}}


@encode_node.register
def _(node: DeviceCondition) -> Document:
    return {"device": {"all": [encode_node(condition) for condition in node.conditions]}}


@encode_node.register
def _(_node: Everyone) -> Document:
    return {"everyone": True}


def _app(app: str | None) -> Document:
    return {} if app is None else {"app": app}


def _comparison(op: str, value: Value) -> Document:
    return {"op": op} if value is None else {"op": op, "value": encode_value(value)}


def _measure(measure: Measure) -> str | Document:
    return measure.kind if measure.property is None else {measure.kind: measure.property}


def _where(filters: tuple[PropertyFilter, ...]) -> Document:
    if not filters:
        return {}
    return {"where": [{"property": item.property} | _comparison(item.op, item.value) for item in filters]}


def _step(step: Step) -> Document:
    within = {} if step.within is None else {"within": format_duration(step.within)}
    return {"event": step.event} | _where(step.where) | within


def _when(window: Window | None) -> Document:
    if window is None:
        return {}
    fields = (("last", window.last), ("from", window.start), ("to", window.end))
    return {"when": {key: encode_value(value) for key, value in fields if value is not None}}


def encode_value(value: Value) -> Any:
    """A value as JSON: text, number, boolean, list."""
    if isinstance(value, tuple):
        return [encode_value(item) for item in value]
    if value is None:
        return None
    return next(write(value) for type, write in _WRITERS if isinstance(value, type))


# In this order: bool is an int, and datetime is a date.
_WRITERS: tuple[tuple[type[Scalar], Callable[[Any], Any]], ...] = (
    (bool, bool),
    (str, str),
    (int, int),
    (Decimal, json_number),
    (datetime, format_instant),
    (date, date.isoformat),
    (timedelta, format_duration),
)
