"""Reads a definition and its tree; conditions on behaviour are in `decode_events`."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from muster.kernel.worded import both, worded
from muster.rules.decode_events import find_operator, read_app, read_event, read_sequence
from muster.rules.errors import (
    APP_REQUIRED,
    DEFINITION_INVALID,
    OPERATOR_NOT_ALLOWED,
    TOO_MANY_CONDITIONS,
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_GROUP,
    VALUE_NOT_ALLOWED,
)
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Definition,
    DeviceCondition,
    Everyone,
    GroupCondition,
    Node,
    NoneOf,
    SampleCondition,
)
from muster.rules.numbers import parse_number
from muster.rules.operators import OPERATORS, RANK_OPERATORS, Operator
from muster.rules.report import Report, below, read_list, read_object, read_text, shown
from muster.rules.values import ABSENT, ValueReader
from muster.rules.vocabulary import Attribute, Scope, Vocabulary

DEEPEST = 8
MOST_CONDITIONS = 200
LONGEST_NODES = 100
LONGEST_SALT = 100

_EVERY_OPERATOR = {key: operator for operators in OPERATORS.values() for key, operator in operators.items()}
_PLACEHOLDER = Everyone()


@dataclass
class _Tree:
    """What every reader of a node needs: where problems go, what may be named, the definition's app."""

    report: Report
    vocabulary: Vocabulary
    app: str | None


def read_definition(report: Report, document: object, vocabulary: Vocabulary) -> Definition:
    fields = read_object(report, document, "", ("version", "match"), ("app",))
    version = fields.get("version", 1)
    if isinstance(version, bool) or not isinstance(version, int | float | Decimal) or version != 1:
        report.add(
            "/version",
            DEFINITION_INVALID,
            worded("{value} is not a version of definitions; write 1", value=shown(version)),
        )
    app = read_app(report, fields, "", vocabulary)
    if "match" not in fields:
        return Definition(_PLACEHOLDER)
    match = _read_node(_Tree(report, vocabulary, app), fields["match"], "/match", depth=1)
    if report.condition_count > MOST_CONDITIONS:
        message = worded(
            "{count} conditions; at most {most} are allowed in one definition",
            count=report.condition_count,
            most=MOST_CONDITIONS,
        )
        report.add("/match", TOO_MANY_CONDITIONS, message)
    return Definition(match, app)


def _read_node(tree: _Tree, raw: object, pointer: str, depth: int) -> Node:
    if not isinstance(raw, dict):
        tree.report.add(
            pointer, DEFINITION_INVALID, worded("{value} stands where a condition must be", value=shown(raw))
        )
        return _PLACEHOLDER
    if depth > DEEPEST:
        message = worded("conditions are nested more than {most} levels deep", most=DEEPEST)
        tree.report.add(pointer, TOO_MANY_CONDITIONS, message)
        return _PLACEHOLDER
    kinds = [kind for kind in _KINDS if kind in raw]
    if len(kinds) == 1:
        (kind,) = kinds
        if kind in _BRANCHES:
            return _read_branch(tree, kind, raw, pointer, depth)
        return _LEAVES[kind](tree, raw, pointer)
    if kinds:
        listed = both(f"`{kind}`" for kind in kinds)
        tree.report.add(
            pointer,
            DEFINITION_INVALID,
            worded("{listed} stand in one object; give each an object of its own", listed=listed),
        )
    elif not raw:
        tree.report.add(
            pointer,
            DEFINITION_INVALID,
            worded('an empty object is no condition; for everybody write "everyone": true'),
        )
    else:
        field = next(iter(raw))
        message = worded("unknown kind of condition {field}", field=shown(field))
        tree.report.add(pointer, DEFINITION_INVALID, message, tree.report.nearest(str(field), _KINDS))
    return _PLACEHOLDER


def _read_branch(tree: _Tree, kind: str, raw: Mapping[str, object], pointer: str, depth: int) -> Node:
    fields = read_object(tree.report, raw, pointer, (kind,))
    pointer = below(pointer, kind)
    items = read_list(tree.report, fields[kind], pointer, LONGEST_NODES, TOO_MANY_CONDITIONS)
    children = (_read_node(tree, item, below(pointer, index), depth + 1) for index, item in enumerate(items))
    return _BRANCHES[kind](tuple(children))


def _attribute_condition(tree: _Tree, raw: object, pointer: str, *, on_device: bool = False) -> AttributeCondition:
    """`on_device`: the conditions of `device` are about one device, so they take device attributes only."""
    tree.report.condition_count += 1
    fields = read_object(tree.report, raw, pointer, ("attribute", "op"), ("value", "app"))
    key = read_text(tree.report, fields.get("attribute", ""), below(pointer, "attribute"), DEFINITION_INVALID)
    attribute = tree.vocabulary.attributes.get(key)
    if attribute is None:
        if isinstance(fields.get("attribute"), str):
            where = below(pointer, "attribute")
            tree.report.add_unknown(
                where,
                UNKNOWN_ATTRIBUTE,
                worded("unknown attribute {word}", word=shown(key)),
                key,
                tree.vocabulary.attributes,
            )
        if "op" in fields:
            find_operator(tree.report, fields["op"], below(pointer, "op"), _EVERY_OPERATOR, worded("an attribute"))
        return AttributeCondition(key, "is_set")
    app = read_app(tree.report, fields, pointer, tree.vocabulary)
    _check_place(tree, attribute, app, pointer, on_device=on_device)
    if "op" not in fields:
        return AttributeCondition(key, "is_set")
    kind = worded("`{key}`, which is of type {type}", key=key, type=attribute.type)
    operator = find_operator(tree.report, fields["op"], below(pointer, "op"), OPERATORS[attribute.type], kind)
    if operator is None:
        return AttributeCondition(key, "is_set")
    _check_rank(tree, attribute, operator, app, pointer)
    reader = ValueReader(tree.report, operator, attribute.type, attribute.values)
    return AttributeCondition(key, operator.key, reader.read(fields.get("value", ABSENT), pointer), app)


def _check_place(tree: _Tree, attribute: Attribute, app: str | None, pointer: str, *, on_device: bool) -> None:
    if app is not None and attribute.scope is not Scope.APP:
        message = worded("`{attribute}` is the same for all apps; leave `app` out", attribute=attribute.key)
        tree.report.add(below(pointer, "app"), VALUE_NOT_ALLOWED, message)
    if on_device and attribute.scope is not Scope.DEVICE:
        message = worded(
            "`{attribute}` is not an attribute of a device; move this condition out of `device`",
            attribute=attribute.key,
        )
        tree.report.add(below(pointer, "attribute"), VALUE_NOT_ALLOWED, message)


def _check_rank(tree: _Tree, attribute: Attribute, operator: Operator, app: str | None, pointer: str) -> None:
    """Ranking compares customers by one value each, so it must be clear which."""
    if operator.key not in RANK_OPERATORS:
        return
    if attribute.scope is Scope.DEVICE:
        message = worded(
            "`{operator}` needs one value per customer, and `{attribute}` has one per device",
            operator=operator.key,
            attribute=attribute.key,
        )
        tree.report.add(below(pointer, "op"), OPERATOR_NOT_ALLOWED, message)
    elif attribute.scope is Scope.APP and app is None and tree.app is None:
        message = worded(
            "`{operator}` needs one value per customer, and `{attribute}` has one per app; add `app`",
            operator=operator.key,
            attribute=attribute.key,
        )
        tree.report.add(pointer, APP_REQUIRED, message)


def _read_event(tree: _Tree, raw: Mapping[str, object], pointer: str) -> Node:
    tree.report.condition_count += 1
    return read_event(tree.report, raw, pointer, tree.vocabulary)


def _read_sequence(tree: _Tree, raw: Mapping[str, object], pointer: str) -> Node:
    tree.report.condition_count += 1
    return read_sequence(tree.report, raw, pointer, tree.vocabulary)


def _read_group(tree: _Tree, raw: Mapping[str, object], pointer: str) -> Node:
    tree.report.condition_count += 1
    fields = read_object(tree.report, raw, pointer, ("group",))
    where = below(pointer, "group")
    name = read_text(tree.report, fields["group"], where, DEFINITION_INVALID)
    if not isinstance(fields["group"], str):
        return _PLACEHOLDER
    identifier = tree.vocabulary.groups.get(name)
    if identifier is None:
        tree.report.add_unknown(
            where, UNKNOWN_GROUP, worded("unknown group {word}", word=shown(name)), name, tree.vocabulary.groups
        )
        return _PLACEHOLDER
    return GroupCondition(identifier)


def _read_sample(tree: _Tree, raw: Mapping[str, object], pointer: str) -> Node:
    tree.report.condition_count += 1
    where = below(pointer, "sample")
    outer = read_object(tree.report, raw, pointer, ("sample",))
    fields = read_object(tree.report, outer["sample"], where, ("percent", "salt"))
    if len(fields) != 2:
        return _PLACEHOLDER
    salt = read_text(tree.report, fields["salt"], below(where, "salt"), VALUE_NOT_ALLOWED, LONGEST_SALT)
    try:
        percent = parse_number(fields["percent"], decimals=2)
        if not 0 <= percent <= 100:
            raise ValueError(worded("is not a percentage from 0 to 100"))
    except ValueError as error:
        tree.report.add(
            below(where, "percent"),
            VALUE_NOT_ALLOWED,
            worded("{value} {problem}", value=shown(fields["percent"]), problem=error.args[0]),
        )
        return _PLACEHOLDER
    return SampleCondition(int(percent * 100), unicodedata.normalize("NFC", salt))


def _read_device(tree: _Tree, raw: Mapping[str, object], pointer: str) -> Node:
    where = below(pointer, "device")
    outer = read_object(tree.report, raw, pointer, ("device",))
    fields = read_object(tree.report, outer["device"], where, ("all",))
    if "all" not in fields:
        return _PLACEHOLDER
    where = below(where, "all")
    items = read_list(tree.report, fields["all"], where, LONGEST_NODES, TOO_MANY_CONDITIONS)
    conditions = (
        _attribute_condition(tree, item, below(where, index), on_device=True) for index, item in enumerate(items)
    )
    return DeviceCondition(tuple(conditions))


def _read_everyone(tree: _Tree, raw: Mapping[str, object], pointer: str) -> Node:
    tree.report.condition_count += 1
    fields = read_object(tree.report, raw, pointer, ("everyone",))
    if fields["everyone"] is not True:
        message = worded('{value} is not allowed here; write "everyone": true', value=shown(fields["everyone"]))
        tree.report.add(below(pointer, "everyone"), VALUE_NOT_ALLOWED, message)
    return Everyone()


_BRANCHES: dict[str, type[All] | type[AnyOf] | type[NoneOf]] = {"all": All, "any": AnyOf, "none": NoneOf}
_LEAVES: dict[str, Callable[[_Tree, Mapping[str, object], str], Node]] = {
    "attribute": _attribute_condition,
    "event": _read_event,
    "sequence": _read_sequence,
    "group": _read_group,
    "sample": _read_sample,
    "device": _read_device,
    "everyone": _read_everyone,
}
_KINDS = (*_BRANCHES, *_LEAVES)
