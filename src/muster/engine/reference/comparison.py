"""One value against one positive operator: what every operator means, said as plainly as possible."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from muster.engine.context import Context
from muster.kernel.civil import day_start, local_day
from muster.kernel.text import fold
from muster.kernel.versions import is_version, version_key
from muster.rules.nodes import Value
from muster.rules.vocabulary import Type

_TEXTS = (Type.TEXT, Type.CATEGORY)


def holds(type: Type, op: str, value: Any, wanted: Value, context: Context) -> bool:
    """Whether `value op wanted`; a missing value satisfies no positive operator (G-3).

    Values: text str · number int, float or Decimal · money Decimal in the publisher's currency · boolean bool ·
    timestamp aware datetime · date date · version str · list list of str.
    """
    if value is None:
        return False
    if type is Type.VERSION:
        return is_version(value) and _version(op, value, wanted)
    if op == "is_set":
        return True
    if type in _TEXTS:
        return _text(op, fold(value), wanted)
    if type is Type.NUMBER and not isinstance(value, Decimal):
        return _ordered(op, float(value), wanted, float)
    if type in (Type.NUMBER, Type.MONEY):
        return _ordered(op, value, wanted, Decimal)
    if type is Type.BOOLEAN:
        return bool(value == wanted)
    if type is Type.LIST:
        return _list(op, value, wanted)
    return _moment(op, value, wanted, context)


def _text(op: str, value: str, wanted: Any) -> bool:
    match op:
        case "is":
            return fold(wanted) == value
        case "in":
            return any(value == fold(one) for one in wanted)
        case "contains":
            return fold(wanted) in value
        case "starts_with":
            return value.startswith(fold(wanted))
        case "ends_with":
            return value.endswith(fold(wanted))
    raise KeyError(op)


def _version(op: str, value: str, wanted: Any) -> bool:
    return op == "is_set" or _ordered(op, version_key(value), wanted, version_key)


def _ordered(op: str, value: Any, wanted: Any, convert: Any) -> bool:
    match op:
        case "is":
            return bool(value == convert(wanted))
        case "in":
            return any(value == convert(one) for one in wanted)
        case "gt":
            return bool(value > convert(wanted))
        case "gte":
            return bool(value >= convert(wanted))
        case "lt":
            return bool(value < convert(wanted))
        case "lte":
            return bool(value <= convert(wanted))
        case "between":
            return bool(convert(wanted[0]) <= value <= convert(wanted[1]))
    raise KeyError(op)


def _list(op: str, value: list[str], wanted: Any) -> bool:
    if op == "has_all":
        return all(one in value for one in wanted)
    return any(one in value for one in wanted)


def _moment(op: str, value: date | datetime, wanted: Any, context: Context) -> bool:
    """Dates by calendar days of the publisher's zone, relative windows by instants (G-4)."""
    match op:
        case "on":
            return bool(_day_of(value, context) == wanted)
        case "before":
            return _position(value, wanted, context) < 0
        case "after":
            return _position(value, wanted, context) > 0
        case "between":
            return _position(value, wanted[0], context) >= 0 and _position(value, wanted[1], context) <= 0
        case "in_last":
            return bool(context.now - wanted < _instant_of(value, context) <= context.now)
        case "in_next":
            return bool(context.now < _instant_of(value, context) <= context.now + wanted)
        case "anniversary_in_next":
            return _has_anniversary(_day_of(value, context), wanted, context)
    raise KeyError(op)


def _day_of(value: date | datetime, context: Context) -> date:
    return local_day(value, context.zone) if isinstance(value, datetime) else value


def _instant_of(value: date | datetime, context: Context) -> datetime:
    """A calendar day counts from its first instant."""
    return value if isinstance(value, datetime) else day_start(value, context.zone)


def _position(value: date | datetime, wanted: date | datetime, context: Context) -> int:
    """-1, 0 or 1: before, at or after; against a day the whole day is `at`."""
    if isinstance(wanted, datetime):
        instant = _instant_of(value, context)
        return (instant > wanted) - (instant < wanted)
    day = _day_of(value, context)
    return (day > wanted) - (day < wanted)


def _has_anniversary(original: date, length: timedelta, context: Context) -> bool:
    """Whether one of the coming days, today the first, is the same day of a later year; 29 February is then 1 March."""
    return any(
        anniversary(original, context.today.year + later) == context.today + timedelta(days=ahead)
        for later in (0, 1)
        for ahead in range(length.days)
        if context.today.year + later > original.year
    )


def anniversary(original: date, year: int) -> date:
    try:
        return original.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
