"""Reads the conditions on behaviour: events with their filters, windows and measures, and sequences of events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import cast

from muster.kernel.versions import is_version
from muster.kernel.worded import Worded, worded
from muster.rules.errors import (
    DEFINITION_INVALID,
    OPERATOR_NOT_ALLOWED,
    TOO_MANY_CONDITIONS,
    UNKNOWN_APP,
    UNKNOWN_EVENT,
    VALUE_NOT_ALLOWED,
)
from muster.rules.measures import MEASURE_OPERATORS, MEASURES, NUMBER_MEASURES, PROPERTY_MEASURES, measure_type
from muster.rules.moments import is_moment
from muster.rules.nodes import (
    EventCondition,
    Measure,
    MeasureKind,
    PropertyFilter,
    SequenceCondition,
    Step,
    Value,
    Window,
)
from muster.rules.operators import OPERATORS, RANK_OPERATORS, Operator, Shape
from muster.rules.report import Report, below, read_list, read_object, read_text, shown
from muster.rules.values import ABSENT, ValueReader, read_duration, read_moment
from muster.rules.vocabulary import Type, Vocabulary

LONGEST_WHERE = 100
LONGEST_PATH = 200
STEP_COUNTS = (2, 5)

_EVERY_OPERATOR = sorted({key for operators in OPERATORS.values() for key in operators})
_MOMENT_ONLY = frozenset(OPERATORS[Type.TIMESTAMP]) - frozenset(OPERATORS[Type.NUMBER])
_TEXT_ONLY = frozenset(OPERATORS[Type.TEXT]) - frozenset(OPERATORS[Type.NUMBER])
_LIST_ONLY = frozenset(OPERATORS[Type.LIST]) - frozenset(OPERATORS[Type.NUMBER])
_ORDERED = ("gt", "gte", "lt", "lte", "between", "not_between")


def read_event(report: Report, raw: Mapping[str, object], pointer: str, vocabulary: Vocabulary) -> EventCondition:
    """An event condition; `raw` is known to have the field `event`."""
    fields = read_object(report, raw, pointer, ("event",), ("where", "app", "when", "measure", "op", "value"))
    event = read_event_key(report, fields["event"], below(pointer, "event"), vocabulary)
    measure = _read_measure(report, fields.get("measure", "count"), below(pointer, "measure"), vocabulary, event)
    op, value = _read_comparison(report, fields, pointer, measure.kind)
    return EventCondition(
        event=event,
        where=read_where(report, fields, pointer, vocabulary, event),
        app=read_app(report, fields, pointer, vocabulary),
        when=read_window(report, fields, pointer),
        measure=measure,
        op=op,
        value=value,
    )


def read_event_key(report: Report, raw: object, pointer: str, vocabulary: Vocabulary) -> str:
    key = read_text(report, raw, pointer, DEFINITION_INVALID)
    if isinstance(raw, str) and key not in vocabulary.events:
        report.add_unknown(
            pointer, UNKNOWN_EVENT, worded("unknown event {word}", word=shown(raw)), raw, vocabulary.events
        )
    return key


def read_app(report: Report, fields: Mapping[str, object], pointer: str, vocabulary: Vocabulary) -> str | None:
    """The app of a condition or definition; null and absent alike mean every app."""
    raw = fields.get("app")
    if raw is None:
        return None
    pointer = below(pointer, "app")
    key = read_text(report, raw, pointer, DEFINITION_INVALID)
    if isinstance(raw, str) and key not in vocabulary.apps:
        report.add_unknown(pointer, UNKNOWN_APP, worded("unknown app {word}", word=shown(raw)), raw, vocabulary.apps)
    return key


def find_operator(
    report: Report, raw: object, pointer: str, operators: Mapping[str, Operator], kind: Worded
) -> Operator | None:
    """The operator named by `raw` among those that `kind` (how the message calls it) takes."""
    if not isinstance(raw, str):
        report.add(pointer, DEFINITION_INVALID, worded("{value} stands where an operator must be", value=shown(raw)))
        return None
    operator = operators.get(raw)
    if operator is None:
        known = raw in _EVERY_OPERATOR
        message = (
            worded("{value} cannot be asked of {kind}", value=shown(raw), kind=kind)
            if known
            else worded("unknown operator {value}", value=shown(raw))
        )
        nearest = report.nearest(raw, operators)
        if nearest is None:
            message = worded("{problem}; use one of {operators}", problem=message, operators=", ".join(operators))
        report.add(pointer, OPERATOR_NOT_ALLOWED, message, nearest)
    return operator


def _read_comparison(
    report: Report, fields: Mapping[str, object], pointer: str, kind: MeasureKind
) -> tuple[str, Value]:
    """Operator and value; `gte` and 1 where the document has none and the measure can be asked so."""
    raw = fields.get("op", "gte")
    operator = find_operator(
        report, raw, below(pointer, "op"), MEASURE_OPERATORS[kind], worded("the measure `{kind}`", kind=kind)
    )
    if operator is None:
        return "gte", None
    default: object = Decimal(1) if operator.shape is Shape.ONE and measure_type(kind) is Type.NUMBER else ABSENT
    reader = ValueReader(report, operator, measure_type(kind))
    return operator.key, reader.read(fields.get("value", default), pointer)


def _read_measure(report: Report, raw: object, pointer: str, vocabulary: Vocabulary, event: str) -> Measure:
    if isinstance(raw, str):
        if raw in PROPERTY_MEASURES:
            report.add(
                pointer,
                DEFINITION_INVALID,
                worded('{value} needs a property: {"{raw}": "amount"}', value=shown(raw), raw=raw),
            )
        elif raw not in MEASURES:
            report.add_unknown(
                pointer, DEFINITION_INVALID, worded("unknown measure {word}", word=shown(raw)), raw, MEASURES
            )
        else:
            return Measure(raw)
        return Measure()
    fields = read_object(report, raw, pointer, (), PROPERTY_MEASURES)
    if len(fields) != 1:
        if isinstance(raw, dict) and len(fields) == len(raw):
            kinds = ", ".join(PROPERTY_MEASURES)
            report.add(
                pointer, DEFINITION_INVALID, worded("a measure of a property has exactly one of {kinds}", kinds=kinds)
            )
        return Measure()
    (kind,) = fields
    path = read_text(report, fields[kind], below(pointer, kind), DEFINITION_INVALID, LONGEST_PATH)
    known = _property_type(vocabulary, event, path)
    if kind in NUMBER_MEASURES and known not in (None, Type.NUMBER, Type.MONEY):
        message = worded(
            "`{kind}` needs a number, and the property {path} of `{event}` is of type {known}",
            kind=kind,
            path=shown(path),
            event=event,
            known=known,
        )
        report.add(below(pointer, kind), VALUE_NOT_ALLOWED, message)
    return Measure(cast(MeasureKind, kind), path)


def _property_type(vocabulary: Vocabulary, event: str, path: str) -> Type | None:
    known = vocabulary.events.get(event)
    return known.properties.get(path) if known else None


def read_where(
    report: Report, fields: Mapping[str, object], pointer: str, vocabulary: Vocabulary, event: str
) -> tuple[PropertyFilter, ...]:
    if "where" not in fields:
        return ()
    pointer = below(pointer, "where")
    items = read_list(report, fields["where"], pointer, LONGEST_WHERE, TOO_MANY_CONDITIONS)
    report.condition_count += len(items)
    filters = (_read_filter(report, item, below(pointer, index), vocabulary, event) for index, item in enumerate(items))
    return tuple(filter for filter in filters if filter is not None)


def _read_filter(
    report: Report, raw: object, pointer: str, vocabulary: Vocabulary, event: str
) -> PropertyFilter | None:
    fields = read_object(report, raw, pointer, ("property", "op"), ("value",))
    if "property" not in fields or "op" not in fields:
        return None
    path = read_text(report, fields["property"], below(pointer, "property"), DEFINITION_INVALID, LONGEST_PATH)
    op, value = fields["op"], fields.get("value", ABSENT)
    if op in RANK_OPERATORS:
        message = worded("{op} ranks customers and cannot be asked of one event; use it with a `measure`", op=shown(op))
        report.add(below(pointer, "op"), OPERATOR_NOT_ALLOWED, message)
        return None
    type = _property_type(vocabulary, event, path) or infer_type(op, value)
    operators = {key: operator for key, operator in OPERATORS[type].items() if key not in RANK_OPERATORS}
    operator = find_operator(
        report, op, below(pointer, "op"), operators, worded("a property of type {type}", type=type)
    )
    if operator is None:
        return None
    return PropertyFilter(path, operator.key, ValueReader(report, operator, type).read(value, pointer), type)


def infer_type(op: object, value: object) -> Type:
    """The type in which a property nobody has seen yet is compared: what operator and value leave no doubt about.

    Text beside `gt`, `between`, ... is a day or instant if it reads as one, else a version if it reads as one.
    """
    if op in _MOMENT_ONLY:
        return Type.TIMESTAMP
    if op in _LIST_ONLY:
        return Type.LIST
    if op in _TEXT_ONLY:
        return Type.TEXT
    sample = value[0] if isinstance(value, list) and value else value
    if isinstance(sample, bool):
        return Type.BOOLEAN
    if isinstance(sample, int | float | Decimal):
        return Type.NUMBER
    if op in _ORDERED:
        if isinstance(sample, str) and is_moment(sample):
            return Type.TIMESTAMP
        return Type.VERSION if isinstance(sample, str) and is_version(sample) else Type.NUMBER
    return Type.TEXT


def read_window(report: Report, fields: Mapping[str, object], pointer: str) -> Window | None:
    if "when" not in fields:
        return None
    pointer = below(pointer, "when")
    when = read_object(report, fields["when"], pointer, (), ("last", "from", "to"))
    if "last" in when:
        if len(when) > 1:
            report.add(pointer, DEFINITION_INVALID, worded("`last` stands alone; take out `from` and `to`"))
        return Window(last=read_duration(report, when["last"], below(pointer, "last")))
    if not when:
        if fields["when"] == {}:
            report.add(
                pointer,
                DEFINITION_INVALID,
                worded("`when` needs `last`, `from` or `to`; leave it out for all history"),
            )
        return None
    start, end = (
        read_moment(report, when[key], below(pointer, key)) if key in when else None for key in ("from", "to")
    )
    if start is not None and end is not None:
        if type(start) is not type(end):
            report.add(pointer, VALUE_NOT_ALLOWED, worded("write two days or two instants in `from` and `to`"))
        elif start >= end:
            report.add(pointer, VALUE_NOT_ALLOWED, worded("`from` must come before `to`, which itself is not included"))
    return Window(start=start, end=end)


def read_sequence(report: Report, raw: Mapping[str, object], pointer: str, vocabulary: Vocabulary) -> SequenceCondition:
    """A sequence condition; `raw` is known to have the field `sequence`."""
    fields = read_object(report, raw, pointer, ("sequence",), ("when", "app"))
    least, most = STEP_COUNTS
    items = read_list(report, fields["sequence"], below(pointer, "sequence"), most, DEFINITION_INVALID)
    if len(items) == 1:
        message = worded(
            "a sequence has {least} to {most} steps; use an event condition for one", least=least, most=most
        )
        report.add(below(pointer, "sequence"), DEFINITION_INVALID, message)
    steps = (
        _read_step(report, item, below(below(pointer, "sequence"), index), vocabulary, first=index == 0)
        for index, item in enumerate(items)
    )
    return SequenceCondition(
        steps=tuple(steps),
        when=read_window(report, fields, pointer),
        app=read_app(report, fields, pointer, vocabulary),
    )


def _read_step(report: Report, raw: object, pointer: str, vocabulary: Vocabulary, *, first: bool) -> Step:
    fields = read_object(report, raw, pointer, ("event",), ("where", "within"))
    event = ""
    if "event" in fields:
        event = read_event_key(report, fields["event"], below(pointer, "event"), vocabulary)
    within: timedelta | None = None
    if "within" in fields:
        within = read_duration(report, fields["within"], below(pointer, "within"))
        if first:
            message = worded("the first step has no step before it; put `within` on a later one")
            report.add(below(pointer, "within"), DEFINITION_INVALID, message)
    return Step(event, read_where(report, fields, pointer, vocabulary, event), within)
