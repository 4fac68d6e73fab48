"""The nodes of a definition, version 1. Frozen data without behaviour; built by `codec.decode`, which validates.

Every value is already in the form its type compares by:

    text, category   str, NFC                     number    Decimal, normalised
    money            Decimal in the publisher's currency
    boolean          bool                         version   str as written, trimmed
    date, timestamp  date (a calendar day of the publisher's zone) or datetime (aware, UTC)
    in_last, in_next, anniversary_in_next         timedelta
    top_percent, bottom_percent                   Decimal, more than 0 and at most 100
    top_count                                     int, at least 1
    in, not_in, has_any, has_all, has_none        tuple of the above, sorted, without repetitions
    between, not_between                          tuple of two, in order
    is_set, is_not_set                            None
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from muster.rules.vocabulary import Type

Scalar = str | bool | int | Decimal | date | datetime | timedelta
Value = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True)
class All:
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class AnyOf:
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class NoneOf:
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class AttributeCondition:
    """`app`: key of the app whose value is meant (per-app attributes; None = the definition's app, or any app)."""

    attribute: str
    op: str
    value: Value = None
    app: str | None = None


@dataclass(frozen=True)
class PropertyFilter:
    """A condition on one property of an event; grain: one event. `type` is the type the comparison is made in."""

    property: str
    op: str
    value: Value
    type: Type


@dataclass(frozen=True)
class Window:
    """`last`, or the half-open interval [`start`, `end`) of which either end may be absent."""

    last: timedelta | None = None
    start: datetime | date | None = None
    end: datetime | date | None = None


MeasureKind = Literal["count", "sum", "avg", "min", "max", "distinct", "first_at", "last_at"]


@dataclass(frozen=True)
class Measure:
    """What is computed over the matching events; `property` for sum, avg, min, max and distinct."""

    kind: MeasureKind = "count"
    property: str | None = None


@dataclass(frozen=True)
class EventCondition:
    """`app`: None = the definition's app, or every app. `when`: None = all history."""

    event: str
    where: tuple[PropertyFilter, ...] = ()
    app: str | None = None
    when: Window | None = None
    measure: Measure = Measure()
    op: str = "gte"
    value: Value = Decimal(1)


@dataclass(frozen=True)
class Step:
    """`within`: at most so long after the step before; None on the first step only."""

    event: str
    where: tuple[PropertyFilter, ...] = ()
    within: timedelta | None = None


@dataclass(frozen=True)
class SequenceCondition:
    """The steps in order; a later step happens strictly after the one before. `when` holds for every step's event."""

    steps: tuple[Step, ...]
    when: Window | None = None
    app: str | None = None


@dataclass(frozen=True)
class GroupCondition:
    """`group` is the id (`grp_...`), whatever the definition wrote."""

    group: str


@dataclass(frozen=True)
class SampleCondition:
    basis_points: int
    salt: str


@dataclass(frozen=True)
class DeviceCondition:
    """ONE active device satisfies all of them together; a missing value satisfies the negative operators (G-7)."""

    conditions: tuple[AttributeCondition, ...]


@dataclass(frozen=True)
class Everyone:
    pass


Condition = (
    AttributeCondition
    | EventCondition
    | SequenceCondition
    | GroupCondition
    | SampleCondition
    | DeviceCondition
    | Everyone
)
Node = All | AnyOf | NoneOf | Condition


@dataclass(frozen=True)
class Definition:
    """`app`: key of the app whose customers are the population; None = customers of any app."""

    match: Node
    app: str | None = None
    version: int = 1
