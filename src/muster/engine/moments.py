"""Date operators as intervals: which instants, or which calendar days, satisfy one now.

Both engines use these definitions of "the last 30 days" and the like; how they look for values inside differs.
Instants lie in half-open intervals [start, end); days in closed ranges.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from muster.engine.context import Context
from muster.kernel.civil import day_start, local_day
from muster.rules.nodes import Value, Window

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
# Nobody's dates lie before; the anniversaries of each later year are one interval.
_FIRST_YEAR = 1900


@dataclass(frozen=True)
class Interval:
    """[start, end) of instants; None = open."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class Days:
    """first..last of calendar days, both included; None = open."""

    first: date | None
    last: date | None


def instants(op: str, value: Value, context: Context) -> list[Interval]:
    """The intervals of instants that satisfy a positive date operator."""
    return _INSTANTS[op](value, context)


def days(op: str, value: Value, context: Context) -> list[Days]:
    """The ranges of calendar days that satisfy a positive date operator; a day counts from its first instant."""
    return _DAYS[op](value, context)


def window_interval(window: Window | None, context: Context) -> Interval:
    """The interval of an event window; `last P` is (now - P, now], so that an event leaves when it is P old.

    Later events than now are never counted: whatever the window, it ends at now (C-18 lets 60 s through).
    """
    end = context.now + _TICK
    if window is None:
        return Interval(None, end)
    if window.last is not None:
        return Interval(context.now - window.last + _TICK, end)
    finish = end if window.end is None else min(end, start_of(window.end, context))
    return Interval(None if window.start is None else start_of(window.start, context), finish)


def start_of(moment: date | datetime, context: Context) -> datetime:
    """An instant is itself; a calendar day starts at its first instant in the publisher's zone."""
    return moment if isinstance(moment, datetime) else day_start(moment, context.zone)


def _end_of(moment: date | datetime, context: Context) -> datetime:
    """The first instant after a moment that is included."""
    return moment + _TICK if isinstance(moment, datetime) else day_start(moment + _DAY, context.zone)


def _on(value: Value, context: Context) -> list[Interval]:
    assert isinstance(value, date)
    return [Interval(start_of(value, context), _end_of(value, context))]


def _before(value: Value, context: Context) -> list[Interval]:
    assert isinstance(value, date)
    return [Interval(None, start_of(value, context))]


def _after(value: Value, context: Context) -> list[Interval]:
    assert isinstance(value, date)
    return [Interval(_end_of(value, context), None)]


def _between(value: Value, context: Context) -> list[Interval]:
    first, last = _pair(value)
    return [Interval(start_of(first, context), _end_of(last, context))]


def _in_last(value: Value, context: Context) -> list[Interval]:
    assert isinstance(value, timedelta)
    return [Interval(context.now - value + _TICK, context.now + _TICK)]


def _in_next(value: Value, context: Context) -> list[Interval]:
    assert isinstance(value, timedelta)
    return [Interval(context.now + _TICK, context.now + value + _TICK)]


def _anniversary(value: Value, context: Context) -> list[Interval]:
    return [
        Interval(start_of(span.first, context), _end_of(span.last, context))
        for span in anniversary_days(value, context)
        if span.first is not None and span.last is not None
    ]


_INSTANTS: dict[str, Callable[[Value, Context], list[Interval]]] = {
    "on": _on,
    "before": _before,
    "after": _after,
    "between": _between,
    "in_last": _in_last,
    "in_next": _in_next,
    "anniversary_in_next": _anniversary,
}


def _day_on(value: Value, _: Context) -> list[Days]:
    return [Days(_day(value), _day(value))]


def _day_before(value: Value, _: Context) -> list[Days]:
    return [Days(None, _day(value) - _DAY)]


def _day_after(value: Value, _: Context) -> list[Days]:
    return [Days(_day(value) + _DAY, None)]


def _day_between(value: Value, _: Context) -> list[Days]:
    first, last = _pair(value)
    return [Days(_day(first), _day(last))]


def _day_in_last(value: Value, context: Context) -> list[Days]:
    assert isinstance(value, timedelta)
    return [Days(local_day(context.now - value, context.zone) + _DAY, context.today)]


def _day_in_next(value: Value, context: Context) -> list[Days]:
    assert isinstance(value, timedelta)
    return [Days(context.today + _DAY, local_day(context.now + value, context.zone))]


def anniversary_days(value: Value, context: Context) -> list[Days]:
    """The days whose anniversary (not the day itself) falls on one of `value` days, of which today is the first."""
    assert isinstance(value, timedelta)
    return list(_shifted_back(context.today, context.today + value - _DAY))


def _shifted_back(first: date, last: date) -> Iterator[Days]:
    for years in range(1, first.year - _FIRST_YEAR + 1):
        early, late = _earliest(first, years), _latest(last, years)
        if early <= late:
            yield Days(early, late)


def _earliest(day: date, years: int) -> date:
    """The first day whose anniversary after `years` is not before `day`; 29 February celebrates on 1 March."""
    year = day.year - years
    if (day.month, day.day) == (3, 1) and isleap(year) and not isleap(day.year):
        return date(year, 2, 29)
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return date(year, 3, 1)
    return day.replace(year=year)


def _latest(day: date, years: int) -> date:
    """The last day whose anniversary after `years` is not after `day`."""
    year = day.year - years
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return day.replace(year=year)


_DAYS: dict[str, Callable[[Value, Context], list[Days]]] = {
    "on": _day_on,
    "before": _day_before,
    "after": _day_after,
    "between": _day_between,
    "in_last": _day_in_last,
    "in_next": _day_in_next,
    "anniversary_in_next": anniversary_days,
}


def _day(value: object) -> date:
    assert isinstance(value, date)
    assert not isinstance(value, datetime)
    return value


def _pair(value: Value) -> tuple[date, date]:
    assert isinstance(value, tuple)
    first, last = value
    assert isinstance(first, date)
    assert isinstance(last, date)
    return first, last
