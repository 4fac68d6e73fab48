"""The operators of each type, the shape of the value each takes, and which negate which (groups spec, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from muster.rules.vocabulary import Type


class Shape(StrEnum):
    """What stands beside an operator."""

    NOTHING = "nothing"
    ONE = "one"
    LIST = "list"
    PAIR = "pair"
    DURATION = "duration"
    DAYS = "days"
    """A duration of whole days, at most 366."""
    PERCENT = "percent"
    COUNT = "count"


@dataclass(frozen=True)
class Operator:
    """`negates` names the positive operator whose complement this one is; None for positive operators."""

    key: str
    shape: Shape
    negates: str | None = None


def _operators(*rows: tuple[str, Shape] | tuple[str, Shape, str]) -> dict[str, Operator]:
    return {row[0]: Operator(*row) for row in rows}


_SET = _operators(("is_set", Shape.NOTHING), ("is_not_set", Shape.NOTHING, "is_set"))
_EQUAL = _operators(("is", Shape.ONE), ("in", Shape.LIST), ("is_not", Shape.ONE, "is"), ("not_in", Shape.LIST, "in"))
_ORDERED = _operators(
    ("gt", Shape.ONE), ("gte", Shape.ONE), ("lt", Shape.ONE), ("lte", Shape.ONE), ("between", Shape.PAIR)
)
_RANKED = _operators(("top_percent", Shape.PERCENT), ("bottom_percent", Shape.PERCENT), ("top_count", Shape.COUNT))

_TEXT = (
    _SET
    | _EQUAL
    | _operators(
        ("contains", Shape.ONE),
        ("starts_with", Shape.ONE),
        ("ends_with", Shape.ONE),
        ("not_contains", Shape.ONE, "contains"),
    )
)
_NUMBER = _SET | _EQUAL | _ORDERED | _RANKED | _operators(("not_between", Shape.PAIR, "between"))
_MOMENT = _SET | _operators(
    ("on", Shape.ONE),
    ("before", Shape.ONE),
    ("after", Shape.ONE),
    ("between", Shape.PAIR),
    ("in_last", Shape.DURATION),
    ("in_next", Shape.DURATION),
    ("anniversary_in_next", Shape.DAYS),
    ("not_on", Shape.ONE, "on"),
    ("not_in_last", Shape.DURATION, "in_last"),
    ("not_between", Shape.PAIR, "between"),
)

OPERATORS: dict[Type, dict[str, Operator]] = {
    Type.TEXT: _TEXT,
    Type.CATEGORY: _TEXT,
    Type.NUMBER: _NUMBER,
    Type.MONEY: _NUMBER,
    Type.BOOLEAN: _SET | _operators(("is", Shape.ONE), ("is_not", Shape.ONE, "is")),
    Type.DATE: _MOMENT,
    Type.TIMESTAMP: _MOMENT,
    Type.VERSION: _SET | _EQUAL | _ORDERED,
    Type.LIST: _SET | _operators(("has_any", Shape.LIST), ("has_all", Shape.LIST), ("has_none", Shape.LIST, "has_any")),
}
RANK_OPERATORS = frozenset(_RANKED)
