"""Which operators each measure of an event condition takes (groups spec, section 2)."""

from __future__ import annotations

from typing import get_args

from muster.rules.nodes import MeasureKind
from muster.rules.operators import OPERATORS, Operator
from muster.rules.vocabulary import Type

MEASURES: tuple[MeasureKind, ...] = get_args(MeasureKind)
PROPERTY_MEASURES: tuple[MeasureKind, ...] = ("sum", "avg", "min", "max", "distinct")
NUMBER_MEASURES: tuple[MeasureKind, ...] = ("sum", "avg", "min", "max")
"""Those whose property is a number."""
MOMENT_MEASURES: tuple[MeasureKind, ...] = ("first_at", "last_at")

_NUMBER = OPERATORS[Type.NUMBER]
# Over no event at all a count, a sum and a number of different values are 0, so they are always set (G-6).
_ALWAYS_SET = {key: operator for key, operator in _NUMBER.items() if key not in ("is_set", "is_not_set")}

MEASURE_OPERATORS: dict[MeasureKind, dict[str, Operator]] = {
    "count": _ALWAYS_SET,
    "sum": _ALWAYS_SET,
    "distinct": _ALWAYS_SET,
    "avg": _NUMBER,
    "min": _NUMBER,
    "max": _NUMBER,
    "first_at": OPERATORS[Type.TIMESTAMP],
    "last_at": OPERATORS[Type.TIMESTAMP],
}


def measure_type(kind: MeasureKind) -> Type:
    """The type a measure is compared as."""
    return Type.TIMESTAMP if kind in MOMENT_MEASURES else Type.NUMBER
