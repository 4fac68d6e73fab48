"""What customers did: counts, sums, first and last times, and sequences of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.types as ir

from muster.engine import moments
from muster.engine.compile.attributes import zero_satisfies
from muster.engine.compile.comparison import ORDER, compare, within
from muster.engine.compile.registry import Keys, Values, compiles
from muster.engine.context import Context
from muster.engine.plan import measure_type
from muster.kernel.versions import is_version, version_key
from muster.rules.nodes import EventCondition, Measure, PropertyFilter, SequenceCondition, Step, Value, Window
from muster.rules.operators import OPERATORS
from muster.rules.vocabulary import Type
from muster.warehouse.port import PropertyColumn, Relations

# Nothing at all is 0 of these (G-6, ADR 0004); of the other measures it has no value.
_ZERO_WITHOUT_EVENTS = frozenset({"count", "sum", "distinct"})
_MEASURED = "measured"


@compiles(EventCondition)
def event_keys(condition: EventCondition, context: Context, warehouse: Relations) -> Keys:
    """Customers whose measure over the matching events satisfies the operator."""
    rows = _matching(condition, context, warehouse)
    if _is_at_least_once(condition):
        return Keys(rows.select("customer_key"))
    measured = _per_customer(rows, condition.measure)
    holds = compare(measured.value, measure_type(condition.measure), condition.op, condition.value, context)
    if condition.measure.kind in _ZERO_WITHOUT_EVENTS and zero_satisfies(condition.op, condition.value):
        return Keys(measured.filter(~holds).select("customer_key"), complement=True)
    return Keys(measured.filter(holds).select("customer_key"))


def event_values(condition: EventCondition, context: Context, warehouse: Relations) -> Values:
    """The measure of everybody who did it, to be ranked."""
    measured = _per_customer(_matching(condition, context, warehouse), condition.measure)
    rows = measured.filter(measured.value.notnull()).select("customer_key", value=measured.value.cast("float64"))
    return Values(rows, condition.op, condition.value)


@compiles(SequenceCondition)
def sequence_keys(condition: SequenceCondition, context: Context, warehouse: Relations) -> Keys:
    """Customers who did the steps in order, each strictly after and at most `within` after the one before.

    Of the earlier steps only the latest before each event matters: nothing is nearer. So each step is one as-of join,
    and customers with many events cost no more than others.
    """
    first, *later = [_step_times(step, condition, context, warehouse) for step in condition.steps]
    reached = first
    for step, times in zip(condition.steps[1:], later, strict=True):
        reached = _followed(reached, times, step)
    return Keys(reached.select("customer_key"))


def _followed(reached: ir.Table, times: ir.Table, step: Step) -> ir.Table:
    before = reached.select(earlier_key="customer_key", earlier_at="happened_at")
    joined = times.asof_join(
        before, on=times.happened_at > before.earlier_at, predicates=[times.customer_key == before.earlier_key]
    )
    found = joined.filter(joined.earlier_at.notnull())
    if step.within is not None:
        found = found.filter(found.happened_at <= found.earlier_at + ibis.interval(seconds=_seconds(step)))
    return found.select("customer_key", "happened_at")


def _seconds(step: Step) -> int:
    assert step.within is not None
    return step.within.days * 86_400 + step.within.seconds


def _step_times(step: Step, condition: SequenceCondition, context: Context, warehouse: Relations) -> ir.Table:
    rows = _occurrences(step.event, step.where, None, condition.app, condition.when, context, warehouse)
    return rows.select("customer_key", "happened_at")


def _matching(condition: EventCondition, context: Context, warehouse: Relations) -> ir.Table:
    measured = _measured_column(condition, context)
    return _occurrences(condition.event, condition.where, measured, condition.app, condition.when, context, warehouse)


def _occurrences(
    event: str,
    where: tuple[PropertyFilter, ...],
    measured: PropertyColumn | None,
    app: str | None,
    when: Window | None,
    context: Context,
    warehouse: Relations,
) -> ir.Table:
    """The events that count: of the kind, the app, the window, and every property filter on the same event."""
    columns = [PropertyColumn(f"p{index}", one.property, one.type) for index, one in enumerate(where)]
    rows = warehouse.occurrences(context.event(event).number, [*columns, *([measured] if measured else [])])
    terms = [within(rows.happened_at, moments.window_interval(when, context))]
    if app is not None:
        terms.append(rows.app_key == context.vocabulary.apps[app])
    terms += [
        _property_holds(rows[column.name], one, event, context, warehouse)
        for column, one in zip(columns, where, strict=True)
    ]
    return rows.filter(terms)


def _property_holds(
    column: Any, wanted: PropertyFilter, event: str, context: Context, warehouse: Relations
) -> ir.BooleanValue:
    """On one event a missing property satisfies the negative operators and no positive one (G-3)."""
    negated = OPERATORS[wanted.type][wanted.op].negates
    op = negated or wanted.op
    if wanted.type is Type.VERSION:
        labels = warehouse.labels(context.event(event).number, wanted.property)
        holds = column.isin([label for label in labels if version_holds(label, op, wanted.value)])
    else:
        holds = compare(column, wanted.type, op, wanted.value, context)
    return ~holds.fill_null(False) if negated else holds


def version_holds(label: str, op: str, value: Value) -> bool:
    """A version operator on one text; stores cannot order versions, but the texts of a property are few (C-30)."""
    if not is_version(label):
        return False
    key = version_key(label)
    match op, value:
        case "is_set", _:
            return True
        case "is", str():
            return key == version_key(value)
        case "in", tuple():
            return key in {version_key(str(one)) for one in value}
        case "between", (str() as low, str() as high):
            return version_key(low) <= key <= version_key(high)
        case _, str():
            return bool(ORDER[op](key, version_key(value)))
    raise KeyError(op)


def _measured_column(condition: EventCondition, context: Context) -> PropertyColumn | None:
    """The property a measure is taken of. Sums and means add decimals, because those add up in any order (C-20)."""
    measure = condition.measure
    if measure.property is None:
        return None
    return PropertyColumn(_MEASURED, measure.property, measured_type(measure, condition.event, context))


def measured_type(measure: Measure, event: str, context: Context) -> Type:
    """The type in which the measured property is read."""
    assert measure.property is not None
    if measure.kind in ("sum", "avg"):
        return Type.MONEY
    if measure.kind in ("min", "max"):
        return Type.NUMBER
    return context.event(event).properties.get(measure.property, Type.TEXT)


def _per_customer(rows: ir.Table, measure: Measure) -> ir.Table:
    value = _MEASURES[measure.kind](rows)
    return rows.group_by("customer_key").aggregate(value=value)


_MEASURES: dict[str, Callable[[Any], Any]] = {
    "count": lambda rows: rows.count(),
    "sum": lambda rows: rows[_MEASURED].sum().fill_null(0),
    # The mean of exact decimals, divided once: both engines get the same float.
    "avg": lambda rows: rows[_MEASURED].sum().cast("float64") / rows[_MEASURED].count().nullif(0),
    "min": lambda rows: rows[_MEASURED].min(),
    "max": lambda rows: rows[_MEASURED].max(),
    "distinct": lambda rows: rows[_MEASURED].nunique(),
    "first_at": lambda rows: rows.happened_at.min(),
    "last_at": lambda rows: rows.happened_at.max(),
}


def _is_at_least_once(condition: EventCondition) -> bool:
    """The commonest question needs no counting: having one event is being in the relation."""
    return condition.measure.kind == "count" and (condition.op, condition.value) in (("gte", 1), ("gt", 0))
