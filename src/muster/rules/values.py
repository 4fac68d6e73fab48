"""Reads the value beside an operator into the form its type compares by (see `nodes`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from muster.kernel.durations import parse_duration
from muster.kernel.text import fold
from muster.kernel.versions import version_key
from muster.kernel.worded import worded
from muster.rules.errors import DEFINITION_INVALID, TOO_MANY_CONDITIONS, VALUE_NOT_ALLOWED
from muster.rules.moments import fixed_duration_near, is_whole_days, parse_moment
from muster.rules.nodes import Scalar, Value
from muster.rules.numbers import parse_number
from muster.rules.operators import Operator, Shape
from muster.rules.report import Report, below, read_list, read_text, shown
from muster.rules.vocabulary import Type

LONGEST_LIST = 1_000
_LONGEST_ANNIVERSARY = timedelta(days=366)
_PART_OF_TEXT = ("contains", "not_contains", "starts_with", "ends_with")
_EQUALITY = ("is", "in", "is_not", "not_in")


class Absent:
    """Stands for a `value` that the document does not have; null is not absent."""


ABSENT = Absent()


class ValueReader:
    """Reads values of one type beside one operator. `labels`: those of a closed category, else empty."""

    def __init__(self, report: Report, operator: Operator, type: Type, labels: tuple[str, ...] = ()) -> None:
        self._report = report
        self._operator = operator
        self._type = type
        self._labels = {fold(label): label for label in labels} if operator.key in _EQUALITY else {}

    def read(self, raw: object, pointer: str) -> Value:
        """The value; None also where a problem was reported."""
        shape = self._operator.shape
        if isinstance(raw, Absent):
            if shape is not Shape.NOTHING:
                self._report.add(
                    pointer,
                    DEFINITION_INVALID,
                    worded("`value` is missing beside `{operator}`", operator=self._operator.key),
                )
            return None
        if shape is Shape.NOTHING:
            self._refuse(
                below(pointer, "value"),
                worded("`{operator}` takes no value", operator=self._operator.key),
                DEFINITION_INVALID,
            )
            return None
        return _BY_SHAPE[shape](self, raw, below(pointer, "value"))

    def _refuse(self, pointer: str, message: str, code: str = VALUE_NOT_ALLOWED, nearest: str | None = None) -> None:
        self._report.add(pointer, code, message, nearest)

    def _one(self, raw: object, pointer: str) -> Any:
        return _BY_TYPE[self._type](self, raw, pointer)

    def _list(self, raw: object, pointer: str) -> Value:
        items = read_list(self._report, raw, pointer, LONGEST_LIST, TOO_MANY_CONDITIONS)
        values = [self._one(item, below(pointer, index)) for index, item in enumerate(items)]
        known = {value for value in values if value is not None}
        return tuple(sorted(known, key=self._rank))

    def _pair(self, raw: object, pointer: str) -> Value:
        if not isinstance(raw, list) or len(raw) != 2:
            self._refuse(
                pointer,
                worded("`{operator}` takes a list of two values", operator=self._operator.key),
                DEFINITION_INVALID,
            )
            return None
        low, high = (self._one(item, below(pointer, index)) for index, item in enumerate(raw))
        if low is None or high is None:
            return None
        if type(low) is not type(high):
            self._refuse(pointer, worded("one end is a day and the other an instant; write two days or two instants"))
        elif self._rank(low) > self._rank(high):
            self._refuse(
                pointer,
                worded(
                    "{first} comes after {second}; write the smaller one first",
                    first=shown(raw[0]),
                    second=shown(raw[1]),
                ),
            )
        return (low, high)

    def _rank(self, value: Any) -> Any:
        return (version_key(value), value) if self._type is Type.VERSION else value

    def _duration(self, raw: object, pointer: str) -> timedelta | None:
        return read_duration(self._report, raw, pointer)

    def _days(self, raw: object, pointer: str) -> timedelta | None:
        length = read_duration(self._report, raw, pointer)
        if length is not None and not (is_whole_days(length) and length <= _LONGEST_ANNIVERSARY):
            self._refuse(
                pointer, worded("{value} is not allowed here; write whole days, at most P366D", value=shown(raw))
            )
        return length

    def _percent(self, raw: object, pointer: str) -> Decimal | None:
        percent = self._number(raw, pointer)
        if percent is not None and not 0 < percent <= 100:
            self._refuse(pointer, worded("{value} is not a percentage above 0 and up to 100", value=shown(raw)))
        return percent

    def _count(self, raw: object, pointer: str) -> int | None:
        count = self._number(raw, pointer)
        if count is None:
            return None
        if count < 1 or count != count.to_integral_value():
            self._refuse(pointer, worded("{value} is not a whole number of at least 1", value=shown(raw)))
        return int(count)

    def _text(self, raw: object, pointer: str) -> str | None:
        text = read_text(self._report, raw, pointer, VALUE_NOT_ALLOWED)
        if raw == "" and self._operator.key in _PART_OF_TEXT:
            self._refuse(
                pointer,
                worded(
                    "every text {operator} the empty text; write some", operator=self._operator.key.replace("_", " ")
                ),
            )
        return unicodedata.normalize("NFC", text)

    def _category(self, raw: object, pointer: str) -> str | None:
        text = self._text(raw, pointer)
        if not self._labels or text is None or not isinstance(raw, str):
            return text
        label = self._labels.get(fold(text))
        if label is None:
            nearest = self._report.nearest(text, self._labels.values())
            message = worded("{value} is not one of the values", value=shown(raw))
            if nearest is None:
                allowed = ", ".join(f"`{label}`" for label in self._labels.values())
                message = worded("{problem}; allowed are {allowed}", problem=message, allowed=allowed)
            self._refuse(pointer, message, nearest=nearest)
        return label

    def _number(self, raw: object, pointer: str) -> Decimal | None:
        try:
            return parse_number(raw)
        except ValueError as error:
            self._refuse(pointer, worded("{value} {problem}", value=shown(raw), problem=error.args[0]))
            return None

    def _money(self, raw: object, pointer: str) -> Decimal | None:
        try:
            return parse_number(raw, decimals=6)
        except ValueError as error:
            self._refuse(pointer, worded("{value} {problem}", value=shown(raw), problem=error.args[0]))
            return None

    def _boolean(self, raw: object, pointer: str) -> bool | None:
        if isinstance(raw, bool):
            return raw
        self._refuse(pointer, worded("{value} is neither true nor false", value=shown(raw)))
        return None

    def _version(self, raw: object, pointer: str) -> str | None:
        if not isinstance(raw, str):
            self._refuse(
                pointer, worded('{value} stands where a version must be, as text such as "1.2.3"', value=shown(raw))
            )
            return None
        text = raw.strip()
        try:
            version_key(text)
        except ValueError:
            self._refuse(pointer, worded("{value} is not a version such as 1.2.3 or 10.0.19041.1", value=shown(raw)))
            return None
        return text

    def _day(self, raw: object, pointer: str) -> date | None:
        moment = read_moment(self._report, raw, pointer)
        if isinstance(moment, datetime):
            self._refuse(
                pointer,
                worded("{value} is an instant; a calendar day such as 2026-11-21 must stand here", value=shown(raw)),
            )
            return None
        return moment

    def _moment(self, raw: object, pointer: str) -> date | datetime | None:
        if self._operator.key in ("on", "not_on"):
            return self._day(raw, pointer)
        return read_moment(self._report, raw, pointer)


_BY_TYPE: dict[Type, Callable[[ValueReader, object, str], Scalar | None]] = {
    Type.TEXT: ValueReader._text,
    Type.LIST: ValueReader._text,
    Type.CATEGORY: ValueReader._category,
    Type.NUMBER: ValueReader._number,
    Type.MONEY: ValueReader._money,
    Type.BOOLEAN: ValueReader._boolean,
    Type.VERSION: ValueReader._version,
    Type.DATE: ValueReader._day,
    Type.TIMESTAMP: ValueReader._moment,
}
_BY_SHAPE: dict[Shape, Callable[[ValueReader, object, str], Value]] = {
    Shape.ONE: ValueReader._one,
    Shape.LIST: ValueReader._list,
    Shape.PAIR: ValueReader._pair,
    Shape.DURATION: ValueReader._duration,
    Shape.DAYS: ValueReader._days,
    Shape.PERCENT: ValueReader._percent,
    Shape.COUNT: ValueReader._count,
}


def read_duration(report: Report, raw: object, pointer: str) -> timedelta | None:
    """A duration of fixed length (ISO 8601); for years and months the nearest such one is named."""
    if not isinstance(raw, str):
        report.add(
            pointer, VALUE_NOT_ALLOWED, worded("{value} is not a duration such as P30D or PT12H", value=shown(raw))
        )
        return None
    try:
        return parse_duration(raw)
    except ValueError:
        near = fixed_duration_near(raw)
        message = (
            worded("{value} counts years or months, whose length varies", value=shown(raw))
            if near
            else worded("{value} is not a duration such as P30D or PT12H", value=shown(raw))
        )
        report.add(pointer, VALUE_NOT_ALLOWED, message, near)
        return None


def read_moment(report: Report, raw: object, pointer: str) -> date | datetime | None:
    """A calendar day or an instant."""
    if not isinstance(raw, str):
        report.add(
            pointer,
            VALUE_NOT_ALLOWED,
            worded("{value} is neither a day such as 2026-11-21 nor an instant", value=shown(raw)),
        )
        return None
    try:
        return parse_moment(raw)
    except ValueError as error:
        report.add(pointer, VALUE_NOT_ALLOWED, worded("{value} {problem}", value=shown(raw), problem=error.args[0]))
        return None
