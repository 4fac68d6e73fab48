"""Events and sequences as relative clauses."""

from __future__ import annotations

from decimal import Decimal

from muster.rules.describe.attribute_clauses import CLAUSES, RANK_CLAUSES
from muster.rules.describe.event_clauses import (
    COUNT_CLAUSES,
    EVENT_IN_APP,
    EVENT_IN_APP_WHERE,
    EVENT_WHERE,
    FROM,
    FROM_TO,
    IN_LAST,
    IN_TOTAL,
    PERFORMED,
    PERFORMED_WITHIN,
    QUANTITIES,
    SEQUENCE,
    SEQUENCE_WITHIN,
    THEN,
    THEN_WITHIN,
    TO,
)
from muster.rules.describe.messages import Wording
from muster.rules.describe.statements import STATEMENTS
from muster.rules.describe.values import ValueWords, positive_operator, quoted, wording_key
from muster.rules.describe.words import Words
from muster.rules.measures import measure_type
from muster.rules.nodes import EventCondition, PropertyFilter, SequenceCondition, Window
from muster.rules.operators import RANK_OPERATORS
from muster.rules.vocabulary import Type


def describe_event(condition: EventCondition, words: Words, positive: bool) -> str:
    """Who performed the event so often, or for whom a measure of it is so."""
    op, negated = positive_operator(condition.op)
    positive = positive is not negated
    if condition.measure.kind == "count" and op not in RANK_OPERATORS:
        return _count(condition, op, words, positive)
    type = _compared_type(condition)
    family, key = wording_key(type, op, condition.value)
    wording = RANK_CLAUSES[op] if op in RANK_OPERATORS else CLAUSES[family][key]
    values = ValueWords(words, type).parts(op, condition.value)
    return _say(wording, words, positive, attribute=_quantity(condition, words), **values)


def _say(wording: Wording, words: Words, positive: bool, count: int = 0, /, **parts: str) -> str:
    return words.say(wording.positive if positive else wording.negative, count, **parts)


def _compared_type(condition: EventCondition) -> Type:
    return measure_type(condition.measure.kind)


def _count(condition: EventCondition, op: str, words: Words, positive: bool) -> str:
    event = _event(condition.event, condition.app, condition.where, words)
    if (op, condition.value) == ("gte", Decimal(1)):
        if condition.when is None:
            return _say(PERFORMED, words, positive, event=event)
        return _say(PERFORMED_WITHIN, words, positive, event=event, period=period(condition.when, words))
    times = words.say(IN_TOTAL) if condition.when is None else period(condition.when, words)
    # Fractions take the plural, as 0.5 times and 1.5 times do.
    count = 1 if condition.value == Decimal(1) else 2
    values = ValueWords(words, Type.NUMBER).parts(op, condition.value)
    return _say(COUNT_CLAUSES[op], words, positive, count, event=event, period=times, **values)


def _quantity(condition: EventCondition, words: Words) -> str:
    over_all, within = QUANTITIES[condition.measure.kind]
    parts = {"event": _event(condition.event, condition.app, condition.where, words)}
    if condition.measure.property is not None:
        parts["property"] = quoted(words, condition.measure.property)
    if condition.when is None:
        return words.say(over_all, **parts)
    return words.say(within, period=period(condition.when, words), **parts)


def _event(event: str, app: str | None, where: tuple[PropertyFilter, ...], words: Words) -> str:
    name = quoted(words, words.names.event(event))
    filters = words.formats.list_and([statement(item, words) for item in where]) if where else ""
    if app is None:
        return words.say(EVENT_WHERE, event=name, filters=filters) if where else name
    pattern = EVENT_IN_APP_WHERE if where else EVENT_IN_APP
    return words.say(pattern, event=name, filters=filters, app=words.names.app(app))


def statement(item: PropertyFilter, words: Words) -> str:
    """A filter as a statement about its property."""
    op, negated = positive_operator(item.op)
    family, key = wording_key(item.type, op, item.value)
    values = ValueWords(words, item.type).parts(op, item.value)
    return _say(STATEMENTS[family][key], words, not negated, property=quoted(words, item.property), **values)


def period(window: Window, words: Words) -> str:
    """The time a window spans, as an adverbial: "in the last 30 days"."""
    if window.last is not None:
        return words.say(IN_LAST, duration=words.formats.duration(window.last))
    dates = ValueWords(words, Type.TIMESTAMP)
    ends = {
        name: dates.scalar(moment)
        for name, moment in (("start", window.start), ("end", window.end))
        if moment is not None
    }
    if len(ends) == 2:
        return words.say(FROM_TO, **ends)
    return words.say(FROM if "start" in ends else TO, **ends)


def describe_sequence(condition: SequenceCondition, words: Words, positive: bool) -> str:
    """Who performed the steps in their order."""
    first, *later = condition.steps
    steps = _event(first.event, condition.app, first.where, words)
    for step in later:
        event = _event(step.event, condition.app, step.where, words)
        if step.within is None:
            steps = words.say(THEN, steps=steps, event=event)
        else:
            duration = words.formats.duration(step.within)
            steps = words.say(THEN_WITHIN, steps=steps, event=event, duration=duration)
    if condition.when is None:
        return _say(SEQUENCE, words, positive, steps=steps)
    return _say(SEQUENCE_WITHIN, words, positive, steps=steps, period=period(condition.when, words))
