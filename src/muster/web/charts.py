"""Drawings as SVG takes them: pure functions from numbers to coordinates, which have a point in every language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SPARK_POINTS = 13
_SPARK_EDGE = 3.0
_ROUND = (1, 2, 5, 10)


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` between two heights in pixels, counted downwards as SVG does."""

    low: float
    high: float
    top: float
    bottom: float

    def y(self, value: float) -> float:
        """Everything in the middle where there is only one value."""
        if self.high == self.low:
            return (self.top + self.bottom) / 2
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


@dataclass(frozen=True)
class Bar:
    """A rectangle by its attributes."""

    x: str
    y: str
    width: str
    height: str


def coordinate(pixels: float) -> str:
    """To a tenth of a pixel."""
    return f"{pixels:.1f}"


def slot_middle(place: int, count: int, left: float, right: float) -> float:
    """The middle of one of `count` equally wide slots, counted from 0."""
    return left + (place + 0.5) * (right - left) / count


def line(points: Iterable[tuple[float, float] | None]) -> str:
    """The path `d` through the points. None is a gap: the pen is lifted, nothing is drawn in its place."""
    drawn = ""
    lifted = True
    for point in points:
        if point is None:
            lifted = True
            continue
        drawn += f"{'M' if lifted else 'L'}{coordinate(point[0])} {coordinate(point[1])}"
        lifted = False
    return drawn


def ticks(low: float, high: float, most: int = 5) -> list[int]:
    """Round whole numbers, evenly spaced, from at most `low` to at least `high`; two of them or more, up to `most`."""
    step = 1
    while True:
        for factor in _ROUND[:-1]:
            size = step * factor
            first = int(low // size) * size
            last = -int(-high // size) * size
            last = max(last, first + size)
            if (last - first) // size < most:
                return list(range(first, last + size, size))
        step *= 10


def bar(middle: float, width: float, base: float, height: float) -> Bar:
    """A bar from the base line: upwards, or downwards where `height` is negative."""
    top = base - height if height > 0 else base
    return Bar(coordinate(middle - width / 2), coordinate(top), coordinate(width), coordinate(abs(height)))


def share_widths(parts: Sequence[float | None], full: float = 100.0) -> list[str | None]:
    """How wide bars of these shares are beside each other: the largest is `full`, what is not told has none."""
    largest = max((part for part in parts if part is not None), default=0.0)
    return [None if part is None else coordinate(part / largest * full if largest else 0.0) for part in parts]


def spark(values: Sequence[float | None], width: float = 104.0, height: float = 28.0) -> str:
    """The path of a trend in a box; None is a gap, all gaps are no path. A steady trend lies in the middle."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    scale = Scale(min(known), max(known), _SPARK_EDGE, height - _SPARK_EDGE)
    wide = (width - 2 * _SPARK_EDGE) / max(len(values) - 1, 1)
    return line(
        [None if value is None else (_SPARK_EDGE + place * wide, scale.y(value)) for place, value in enumerate(values)]
    )
