"""Where the top n % begin (G-5), in one place for both engines."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from muster.rules.nodes import Value

Floats = npt.NDArray[np.float64]


def rank_count(op: str, argument: Value, total: int) -> int:
    """How many customers stand on the wanted side of the threshold before ties: ceil(n % of those with a value)."""
    if op == "top_count":
        assert isinstance(argument, int)
        return min(argument, total)
    assert isinstance(argument, Decimal)
    return math.ceil(argument * total / 100)


def threshold(values: Floats, op: str, argument: Value) -> float | None:
    """The value at which the top (or bottom) begins; None if nobody has a value. Ties with it are all in."""
    count = rank_count(op, argument, len(values))
    if count == 0:
        return None
    if op == "bottom_percent":
        return float(np.partition(values, count - 1)[count - 1])
    return float(np.partition(values, len(values) - count)[len(values) - count])


def beyond(values: Floats, op: str, limit: float) -> npt.NDArray[np.bool_]:
    """Which values are at the threshold or beyond."""
    return values <= limit if op == "bottom_percent" else values >= limit


def rank_holds(value: float, op: str, limit: float) -> bool:
    """The same for one value."""
    return value <= limit if op == "bottom_percent" else value >= limit
