"""A definition as a compact expression in Microsoft's style: `Age group == 18 to 24 && Gender == Male` (G-12)."""

from __future__ import annotations

from muster.rules.describe.messages import Message, message
from muster.rules.describe.sentence import attribute_type
from muster.rules.describe.values import ValueWords, percent_of, positive_operator
from muster.rules.describe.words import Words
from muster.rules.measures import measure_type
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    Definition,
    DeviceCondition,
    EventCondition,
    Everyone,
    GroupCondition,
    MeasureKind,
    Node,
    NoneOf,
    PropertyFilter,
    SampleCondition,
    SequenceCondition,
    Value,
    Window,
)
from muster.rules.vocabulary import Type

# What the signs of programming languages can say is the same in every language.
_SIGNS = {"is": "==", "is_not": "!=", "on": "==", "not_on": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="} | {
    "before": "<",
    "after": ">",
}
_OPERATIONS: dict[str, Message] = {
    "is_set": message("expression", "{left} is set"),
    "in": message("expression", "{left} in ({right})"),
    "contains": message("expression", "{left} contains {right}"),
    "starts_with": message("expression", "{left} starts with {right}"),
    "ends_with": message("expression", "{left} ends with {right}"),
    "in_last": message("expression", "{left} in last {right}"),
    "in_next": message("expression", "{left} in next {right}"),
    "anniversary_in_next": message("expression", "{left} anniversary in next {right}"),
    "has_any": message("expression", "{left} has any of ({right})"),
    "has_all": message("expression", "{left} has all of ({right})"),
    "top_percent": message("expression", "{left} in top {right}"),
    "bottom_percent": message("expression", "{left} in bottom {right}"),
    "top_count": message("expression", "{left} in top {right}"),
}
_MEASURES: dict[MeasureKind, Message] = {
    "count": message("expression", "Count({arguments})"),
    "sum": message("expression", "Sum({arguments})"),
    "avg": message("expression", "Average({arguments})"),
    "min": message("expression", "Smallest({arguments})"),
    "max": message("expression", "Largest({arguments})"),
    "distinct": message("expression", "Different({arguments})"),
    "first_at": message("expression", "First({arguments})"),
    "last_at": message("expression", "Last({arguments})"),
}
_TRUE = message("expression", "true")
_FALSE = message("expression", "false")
_GROUP = message("expression", "Group")
_SAMPLE = message("expression", "Sample({salt})")
_DEVICE = message("expression", "Device({conditions})")
_SEQUENCE = message("expression", "Sequence({arguments})")
_EVERYONE = message("expression", "Everyone")
_LAST = message("expression", "last {duration}")

_OR, _AND = " || ", " && "


def expression(definition: Definition, words: Words) -> str:
    """The expression of the conditions; the app is shown beside it, as pages do."""
    return _node(definition.match, words)


def _node(node: Node, words: Words) -> str:
    match node:
        case All(nodes):
            return _AND.join(_operand(child, words) for child in nodes)
        case AnyOf(nodes):
            return _OR.join(_node(child, words) for child in nodes)
        case NoneOf(nodes):
            return f"!({_OR.join(_node(child, words) for child in nodes)})"
        case _:
            return _condition(node, words)


def _binds_weaker_than_and(node: Node) -> bool:
    """Whether the node reads as an `||`: one with a single child reads as that child."""
    if isinstance(node, All | AnyOf) and len(node.nodes) == 1:
        return _binds_weaker_than_and(node.nodes[0])
    return isinstance(node, AnyOf)


def _operand(node: Node, words: Words) -> str:
    text = _node(node, words)
    return f"({text})" if _binds_weaker_than_and(node) else text


def _condition(condition: Condition, words: Words) -> str:
    match condition:
        case AttributeCondition():
            return _attribute(condition, words)
        case EventCondition():
            return _event(condition, words)
        case SequenceCondition():
            return _sequence(condition, words)
        case GroupCondition(group):
            return f"{words.say(_GROUP)} == {words.names.group(group)}"
        case SampleCondition():
            return f"{words.say(_SAMPLE, salt=condition.salt)} == {words.formats.percent(percent_of(condition))}"
        case DeviceCondition(conditions):
            return words.say(_DEVICE, conditions=_AND.join(_attribute(item, words) for item in conditions))
        case Everyone():
            return words.say(_EVERYONE)


def _attribute(condition: AttributeCondition, words: Words) -> str:
    left = words.names.attribute(condition.attribute)
    if condition.app is not None:
        left = f"{left} ({words.names.app(condition.app)})"
    values = ValueWords(words, attribute_type(condition, words), condition.attribute, quotes=False)
    return _comparison(left, condition.op, condition.value, values)


def _comparison(left: str, op: str, value: Value, values: ValueWords) -> str:
    words = values.words
    if op in _SIGNS and not isinstance(value, tuple):
        right = _boolean(value, words) if isinstance(value, bool) else values.parts(op, value)["value"]
        return f"{left} {_SIGNS[op]} {right}"
    positive, negated = positive_operator(op)
    if positive == "between":
        parts = values.parts(op, value)
        text = f"{parts['low']} <= {left} <= {parts['high']}"
    else:
        text = words.say(_OPERATIONS[positive], left=left, right=_right(positive, value, values))
    return f"!({text})" if negated else text


def _right(op: str, value: Value, values: ValueWords) -> str:
    if isinstance(value, tuple):
        return ", ".join(values.scalar(item) for item in value)
    parts = values.parts(op, value)
    return next(iter(parts.values()), "")


def _boolean(value: bool, words: Words) -> str:
    return words.say(_TRUE if value else _FALSE)


def _event(condition: EventCondition, words: Words) -> str:
    kind = condition.measure.kind
    arguments = [_occurrence(condition.event, condition.where, words)]
    if condition.measure.property is not None:
        arguments.insert(0, condition.measure.property)
    left = words.say(_MEASURES[kind], arguments=", ".join(arguments + _qualifiers(condition, words)))
    return _comparison(left, condition.op, condition.value, ValueWords(words, measure_type(kind), quotes=False))


def _occurrence(event: str, where: tuple[PropertyFilter, ...], words: Words) -> str:
    name = words.names.event(event)
    return f"{name}[{_AND.join(_filter(item, words) for item in where)}]" if where else name


def _filter(item: PropertyFilter, words: Words) -> str:
    return _comparison(item.property, item.op, item.value, ValueWords(words, item.type))


def _qualifiers(condition: EventCondition | SequenceCondition, words: Words) -> list[str]:
    app = [] if condition.app is None else [words.names.app(condition.app)]
    return app if condition.when is None else [*app, _window(condition.when, words)]


def _window(window: Window, words: Words) -> str:
    if window.last is not None:
        return words.say(_LAST, duration=words.formats.duration(window.last))
    dates = ValueWords(words, Type.TIMESTAMP)
    start = "" if window.start is None else f">= {dates.scalar(window.start)}"
    end = "" if window.end is None else f"< {dates.scalar(window.end)}"
    return _AND.join(filter(None, (start, end)))


def _sequence(condition: SequenceCondition, words: Words) -> str:
    steps = [_occurrence(condition.steps[0].event, condition.steps[0].where, words)]
    for step in condition.steps[1:]:
        arrow = "->" if step.within is None else f"-> (<= {words.formats.duration(step.within)})"
        steps.append(f"{arrow} {_occurrence(step.event, step.where, words)}")
    return words.say(_SEQUENCE, arguments=", ".join([" ".join(steps), *_qualifiers(condition, words)]))
