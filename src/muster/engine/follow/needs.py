"""Which rows and columns of a customer some atoms look at: nothing else is read when few customers are asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from muster.engine.atoms import Acquired, Atom, Beyond, Excluded, Ranked
from muster.engine.compile.attributes import column_name
from muster.engine.context import Context
from muster.rules.nodes import (
    AttributeCondition,
    DeviceCondition,
    EventCondition,
    SampleCondition,
    SequenceCondition,
)
from muster.rules.vocabulary import Attribute, Scope, Type
from muster.warehouse.port import Needed

_RELATIONS = {Scope.CUSTOMER: "profiles", Scope.APP: "app_facts", Scope.DEVICE: "devices"}
_DERIVED = {"age": "birth_code", "age_group": "birth_code", "has_purchased": "purchase_count"}


def needed(atoms: Iterable[Atom], context: Context) -> Needed:
    """Of the relations that definitions may ask, as far as these atoms do."""
    columns: dict[str, set[str]] = {name: set() for name in _RELATIONS.values()}
    events: dict[int, bool] = {}
    holdings = False
    for atom in atoms:
        for relation, column in _columns(atom, context):
            if relation == "holdings":
                holdings = True
            else:
                columns[relation].add(column)
        for number, with_properties in _events(atom, context):
            events[number] = events.get(number, False) or with_properties
    return Needed(
        profiles=frozenset(columns["profiles"]),
        app_facts=frozenset(columns["app_facts"]),
        devices=frozenset(columns["devices"]),
        holdings=holdings,
        events=events,
    )


def _columns(atom: Atom, context: Context) -> Iterator[tuple[str, str]]:
    match atom:
        case AttributeCondition():
            yield from _of_attribute(context.attribute(atom.attribute))
        case DeviceCondition():
            yield "devices", "last_seen_at"
            for one in atom.conditions:
                yield from _of_attribute(context.attribute(one.attribute))
        case Ranked():
            yield from _columns(atom.condition, context)
        case Beyond():
            yield from _columns(atom.ranked.condition, context)
        case SampleCondition():
            yield "profiles", "subject"
        case Acquired():
            yield "app_facts", "acquired_at"
        case Excluded():
            yield "profiles", "profiling_denied" if atom.reason == "profiling_denied" else "birth_code"


def _of_attribute(attribute: Attribute) -> Iterator[tuple[str, str]]:
    if attribute.key in _DERIVED:
        yield "profiles", _DERIVED[attribute.key]
        return
    if attribute.key == "addons_owned":
        yield "holdings", "addon"
        return
    relation, column = _RELATIONS[attribute.scope], column_name(attribute)
    yield relation, column
    if attribute.type is Type.VERSION:
        # The reference reads the version itself, the store compares its sortable key.
        yield relation, column.removesuffix("_key")
    if attribute.scope is Scope.DEVICE:
        yield relation, "last_seen_at"


def _events(atom: Atom, context: Context) -> Iterator[tuple[int, bool]]:
    match atom:
        case EventCondition():
            yield context.event(atom.event).number, bool(atom.where) or atom.measure.property is not None
        case SequenceCondition():
            for step in atom.steps:
                yield context.event(step.event).number, bool(step.where)
        case Ranked():
            yield from _events(atom.condition, context)
        case Beyond():
            yield from _events(atom.ranked.condition, context)
