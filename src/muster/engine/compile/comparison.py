"""A positive operator on a column, as a boolean Ibis value that is never null where the column is not."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from muster.engine import moments
from muster.engine.context import Context
from muster.kernel.text import fold
from muster.kernel.versions import version_key
from muster.rules.nodes import Value
from muster.rules.vocabulary import Type

MICROS = 1_000_000

ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def compare(column: ir.Value, type: Type, op: str, value: Value, context: Context) -> ir.BooleanValue:
    """`column op value`; null columns give null or False, which a filter takes alike.

    Columns: text, category string (NFC) · number float64, integer or decimal · money int64 micros · boolean · date ·
    timestamp without zone in UTC · version its sortable key · list array<string>.
    """
    if op == "is_set":
        return column.notnull()
    return _COMPARE[type](column, op, value, context)


def naive(instant: datetime) -> datetime:
    """The store's form of an instant: UTC without a zone."""
    return instant.replace(tzinfo=None)


def any_of(terms: Iterable[ir.BooleanValue]) -> ir.BooleanValue:
    """Whether one of the terms holds; no terms hold for nobody."""
    return reduce(operator.or_, terms, ibis.literal(False))


def _text(column: Any, op: str, value: Any, _: Context) -> Any:
    folded = column.lower()
    match op:
        case "is":
            return folded == fold(value)
        case "in":
            return folded.isin([fold(one) for one in value])
        case "contains":
            return folded.contains(fold(value))
        case "starts_with":
            return folded.startswith(fold(value))
        case "ends_with":
            return folded.endswith(fold(value))
    raise KeyError(op)


def _number(column: Any, op: str, value: Any, _: Context) -> Any:
    # Decimal columns (sums) are compared exactly, floats as floats: the value takes the column's form.
    convert = Decimal if column.type().is_decimal() else float
    return _ordered(column, op, value, convert)


def _money(column: Any, op: str, value: Any, _: Context) -> Any:
    return _ordered(column, op, value, lambda amount: int(amount * MICROS))


def _version(column: Any, op: str, value: Any, _: Context) -> Any:
    return _ordered(column, op, value, version_key)


def _ordered(column: Any, op: str, value: Any, convert: Callable[[Any], Any]) -> Any:
    match op:
        case "is":
            return column == convert(value)
        case "in":
            return column.isin([convert(one) for one in value])
        case "between":
            return column.between(convert(value[0]), convert(value[1]))
    return ORDER[op](column, convert(value))


def _boolean(column: Any, op: str, value: Any, _: Context) -> Any:
    assert op == "is"
    return column if value else ~column


def _timestamp(column: Any, op: str, value: Value, context: Context) -> Any:
    return any_of(within(column, interval) for interval in moments.instants(op, value, context))


def within(column: Any, interval: moments.Interval) -> Any:
    """Whether a timestamp column lies in [start, end)."""
    return _in_range(
        column,
        None if interval.start is None else naive(interval.start),
        None if interval.end is None else naive(interval.end),
        operator.lt,
    )


def _date(column: Any, op: str, value: Value, context: Context) -> Any:
    return any_of(_in_range(column, span.first, span.last, operator.le) for span in moments.days(op, value, context))


def _in_range(column: Any, low: date | None, high: date | None, below: Callable[[Any, Any], Any]) -> Any:
    terms = []
    if low is not None:
        terms.append(column >= low)
    if high is not None:
        terms.append(below(column, high))
    return reduce(operator.and_, terms) if terms else column.notnull()


def _list(column: Any, op: str, value: Any, _: Context) -> Any:
    found = [column.contains(one) for one in value]
    return reduce(operator.and_ if op == "has_all" else operator.or_, found)


_COMPARE: dict[Type, Callable[[Any, str, Any, Context], Any]] = {
    Type.TEXT: _text,
    Type.CATEGORY: _text,
    Type.NUMBER: _number,
    Type.MONEY: _money,
    Type.BOOLEAN: _boolean,
    Type.DATE: _date,
    Type.TIMESTAMP: _timestamp,
    Type.VERSION: _version,
    Type.LIST: _list,
}
