"""One form for definitions of equal meaning, as far as sorting and spelling go, and its hash (G-11).

Nodes that differ only in the order or repetition of children, in needless nesting or in a list of one value become
equal. A hash does not know the definition's app: conditions without an app of their own mean that app.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from muster.kernel.durations import format_duration
from muster.rules.moments import format_instant
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    DeviceCondition,
    EventCondition,
    Node,
    NoneOf,
    PropertyFilter,
    SequenceCondition,
    Value,
)

Item = TypeVar("Item")

# A list of one value says the same as the operator for one.
_OF_ONE_VALUE = {"in": "is", "not_in": "is_not"}


def canonical(node: Node) -> Node:
    """The canonical form; canonical(canonical(x)) == canonical(x)."""
    match node:
        case All(nodes):
            return _joined(All, _flat(All, nodes))
        case AnyOf(nodes):
            return _joined(AnyOf, _flat(AnyOf, nodes))
        case NoneOf(nodes):
            # None of (a or b) is none of a, b; and none of (none of a, b) is a or b.
            children = _flat(AnyOf, nodes)
            if len(children) == 1 and isinstance(children[0], NoneOf):
                return canonical(AnyOf(children[0].nodes))
            return NoneOf(children)
        case AttributeCondition():
            return _attribute(node)
        case EventCondition():
            op, value = _comparison(node.op, node.value)
            return replace(node, where=_filters(node.where), op=op, value=value)
        case SequenceCondition(steps):
            return replace(node, steps=tuple(replace(step, where=_filters(step.where)) for step in steps))
        case DeviceCondition(conditions):
            return DeviceCondition(_sorted(map(_attribute, conditions)))
        case _:
            return node


def _joined(build: type[All] | type[AnyOf], children: tuple[Node, ...]) -> Node:
    return children[0] if len(children) == 1 else build(children)


def _flat(build: type[All] | type[AnyOf], nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The canonical children, those of the same kind opened, sorted, without repetitions."""
    children: dict[str, Node] = {}
    for node in map(canonical, nodes):
        for child in node.nodes if isinstance(node, build) else (node,):
            children[canonical_json(child)] = child
    return tuple(children[key] for key in sorted(children))


def _attribute(condition: AttributeCondition) -> AttributeCondition:
    op, value = _comparison(condition.op, condition.value)
    return replace(condition, op=op, value=value)


def _filters(filters: tuple[PropertyFilter, ...]) -> tuple[PropertyFilter, ...]:
    spelled = []
    for item in filters:
        op, value = _comparison(item.op, item.value)
        spelled.append(replace(item, op=op, value=value))
    return _sorted(spelled)


def _comparison(op: str, value: Value) -> tuple[str, Value]:
    if isinstance(value, tuple) and len(value) == 1:
        if op in _OF_ONE_VALUE:
            return _OF_ONE_VALUE[op], value[0]
        if op == "has_all":
            return "has_any", value
    return op, value


def _sorted(items: Iterable[Item]) -> tuple[Item, ...]:
    """Sorted and without repetitions by text, because Python's True equals 1."""
    by_text = {_json(item): item for item in items}
    return tuple(by_text[text] for text in sorted(by_text))


def canonical_json(node: Node) -> str:
    """The text of a node with every value tagged by its type, so that the text "1" and the number 1 differ.

    Of a canonical node it is the text of its whole class; `canonical` is not applied here.
    """
    return _json(node)


def condition_hash(node: Node) -> str:
    """SHA-256 (hex) of the canonical form; equal for equal meaning as far as `canonical` goes."""
    return hashlib.sha256(canonical_json(canonical(node)).encode()).hexdigest()


def _json(item: object) -> str:
    return json.dumps(_tagged(item), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _tagged(item: object) -> Any:
    if is_dataclass(item) and not isinstance(item, type):
        body = {field.name: _tagged(getattr(item, field.name)) for field in fields(item)}
        return {type(item).__name__: body}
    if isinstance(item, tuple):
        return [_tagged(part) for part in item]
    if item is None or isinstance(item, bool):
        return item
    if isinstance(item, int | Decimal):
        return {"number": f"{Decimal(item).normalize():f}"}
    if isinstance(item, datetime):
        return {"instant": format_instant(item)}
    if isinstance(item, date):
        return {"day": item.isoformat()}
    if isinstance(item, timedelta):
        return {"duration": format_duration(item)}
    return item
