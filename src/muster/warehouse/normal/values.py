"""JSON values as the types of attributes and properties: what counts as a number, a text, an instant (C-3, C-29)."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from muster.kernel.versions import is_version
from muster.rules.vocabulary import Type
from muster.warehouse.normal.instants import parse_day, parse_instant

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MICRO = Decimal("0.000001")
_WIDE = Context(prec=60)
_ADDED_BELOW = 1e15
"""Larger numbers are not added: sums stay exact, and within 38 digits, whatever is sent."""

Typed = str | float | int | bool | date | datetime | list[str] | Decimal


def number_text(number: float) -> str:
    """Shortest decimal text; whole numbers below 10^15 (and 64-bit integers) without a point."""
    if isinstance(number, int) and -(2**63) <= number < 2**64:
        return str(number)
    value = float(number)
    if abs(value) < 1e15 and value == math.trunc(value):
        return str(int(value))
    return repr(value)


def text_of(value: Any) -> str | None:
    """Text as it is, a number as its shortest text; None for anything else."""
    if isinstance(value, str):
        return value
    return number_text(value) if is_number(value) else None


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Whether it is a number that a double can hold; JSON's may be longer."""
    return is_number(value) and bool(abs(value) <= sys.float_info.max)


def micros_of(value: Any) -> int | None:
    """Whole micros of a number, read from its shortest text, halves away from zero; None if it does not fit."""
    exact = decimal_of(value)
    micros = int(exact * 1_000_000) if exact is not None else None
    return micros if micros is not None and -(2**63) <= micros < 2**63 else None


def decimal_of(value: Any) -> Decimal | None:
    """A number with six decimals, as DECIMAL(38, 6) reads its shortest text; None from 10^15."""
    if not is_number(value) or not abs(value) < _ADDED_BELOW:
        return None
    return Decimal(number_text(value)).quantize(_MICRO, ROUND_HALF_UP, _WIDE)


def list_of(value: Any) -> list[str] | None:
    """The texts (and numbers as text) of a list, in order; other elements are left out."""
    if not isinstance(value, list):
        return None
    return [text for element in value if (text := text_of(element)) is not None]


def property_value(value: Any, type: Type) -> Typed | None:
    """One property of an event as a type: nothing is guessed from its spelling."""
    if type is Type.NUMBER:
        return float(value) if is_number(value) else None
    if type is Type.MONEY:
        return decimal_of(value)
    return _COMMON[type](value)


def attribute_value(value: Any, type: Type) -> Typed | None:
    """A trait as the type of its attribute: converted if nothing is lost, else None (C-3, `type_conflict`).

    Beyond what a property may be, numbers are read from text. Money is whole micros.
    """
    if type in (Type.NUMBER, Type.MONEY):
        number = _number_in(value)
        if number is None:
            return None
        return micros_of(number) if type is Type.MONEY else float(number)
    if type is Type.VERSION:
        text = text_of(value)
        return text if text is not None and is_version(text) else None
    return _COMMON[type](value)


def _number_in(value: Any) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    return value if is_finite(value) else None


_COMMON: dict[Type, Callable[[Any], Typed | None]] = {
    Type.TEXT: text_of,
    Type.CATEGORY: text_of,
    Type.VERSION: text_of,
    Type.BOOLEAN: lambda value: value if isinstance(value, bool) else None,
    Type.TIMESTAMP: lambda value: parse_instant(value) if isinstance(value, str) else None,
    Type.DATE: lambda value: parse_day(value) if isinstance(value, str) else None,
    Type.LIST: list_of,
}
