"""The values of a comparison as a reader writes them, under the names that messages use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from muster.rules.describe.messages import message
from muster.rules.describe.words import Words
from muster.rules.nodes import SampleCondition, Scalar, Value
from muster.rules.operators import OPERATORS, RANK_OPERATORS, Shape
from muster.rules.vocabulary import Type

_QUOTED = message("quoted name", "“{name}”")
_FAMILIES = {
    Type.TEXT: "text",
    Type.CATEGORY: "text",
    Type.NUMBER: "number",
    Type.MONEY: "number",
    Type.BOOLEAN: "boolean",
    Type.DATE: "moment",
    Type.TIMESTAMP: "moment",
    Type.VERSION: "version",
    Type.LIST: "list",
}
_SHAPES = {key: operator.shape for operators in OPERATORS.values() for key, operator in operators.items()}
NEGATES = {key: operator.negates for operators in OPERATORS.values() for key, operator in operators.items()}


def quoted(words: Words, name: str) -> str:
    """A name or value as a literal in the quotation marks of the language."""
    return words.say(_QUOTED, name=name)


def positive_operator(op: str) -> tuple[str, bool]:
    """The operator to describe, and whether `op` is its negation."""
    negated = NEGATES[op]
    return (op, False) if negated is None else (negated, True)


def percent_of(sample: SampleCondition) -> Decimal:
    return Decimal(sample.basis_points) / 100


def type_from_value(op: str, value: Value) -> Type:
    """The type of an attribute nobody knows any more, as far as operator and value tell."""
    sample = value[0] if isinstance(value, tuple) else value
    if op in OPERATORS[Type.LIST] and op not in ("is_set", "is_not_set"):
        return Type.LIST
    if op in RANK_OPERATORS:
        return Type.NUMBER
    if isinstance(sample, bool):
        return Type.BOOLEAN
    if isinstance(sample, Decimal | int):
        return Type.NUMBER
    if isinstance(sample, date | timedelta):
        return Type.TIMESTAMP
    return Type.TEXT if op in OPERATORS[Type.TEXT] else Type.VERSION


def wording_key(type: Type, op: str, value: Value) -> tuple[str, str]:
    """Family and operator under which the tables hold the wording of a positive operator."""
    if type is Type.BOOLEAN and op == "is":
        return "boolean", "is_true" if value else "is_false"
    return _FAMILIES[type], op


@dataclass(frozen=True)
class ValueWords:
    """Writes the values of one attribute, property or measure. `attribute`: key whose category labels are meant.

    `quotes`: whether labels stand in quotation marks; free text always does, so that its end is seen.
    """

    words: Words
    type: Type
    attribute: str | None = None
    quotes: bool = True

    def parts(self, op: str, value: Value) -> dict[str, str]:
        """The placeholders of a message about `op`: value, values, low and high, day, duration, ..."""
        formats = self.words.formats
        shape = _SHAPES[op]
        match shape, value:
            case Shape.LIST, tuple(items):
                written = [self.scalar(item) for item in items]
                either = formats.list_or(written)
                return {"values": either, "any_of": either, "all_of": formats.list_and(written)}
            case Shape.PAIR, (low, high):
                return {"low": self.scalar(low), "high": self.scalar(high)}
            case ((Shape.DURATION | Shape.DAYS), timedelta()):
                return {"duration": formats.duration(value)}
            case Shape.PERCENT, Decimal():
                return {"percent": formats.percent(value)}
            case Shape.COUNT, int():
                return {"count": formats.number(Decimal(value))}
        if shape is Shape.NOTHING or value is None or isinstance(value, tuple):
            return {}
        written_value = self.scalar(value)
        return {"value": written_value, "day": written_value, "moment": written_value}

    def scalar(self, value: Scalar) -> str:
        formats = self.words.formats
        writers: tuple[tuple[type, Any], ...] = (
            (str, self._text),
            (datetime, formats.instant),
            (date, formats.day),
            (timedelta, formats.duration),
        )
        for kind, write in writers:
            if isinstance(value, kind):
                return str(write(value))
        number = Decimal(value)  # type: ignore[arg-type]  # str and dates have left above
        return formats.money(number) if self.type is Type.MONEY else formats.number(number)

    def _text(self, value: str) -> str:
        if self.type is Type.VERSION:
            return value
        if self.attribute == "country":
            return self.words.formats.country(value)
        label = self.words.names.value(self.attribute, value) if self.attribute else None
        if label and not self.quotes:
            return label
        return quoted(self.words, label or value)
