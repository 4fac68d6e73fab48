"""How large a group was, day by day: the drawing, its finding in words, and the same as a table (D-33..D-35)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muster.groups.policies import Told
from muster.groups.queries.history import DayView
from muster.web.charts import Bar, Scale, bar, coordinate, line, slot_middle, ticks
from muster.web.templatetags.web import reader_formats

WIDTH, HEIGHT = 1100, 284
_RIGHT, _TOP, _BOTTOM = 1096, 14, 164
_BASE, _UP, _DOWN = 230, 35, 24
_LETTER, _WIDEST_BAR, _MOST_LABELS, _ROOM_OF_TODAY = 7.0, 14.0, 7, 110
_BEFORE = 7
"""Days back that the finding compares with."""


@dataclass(frozen=True)
class Mark:
    """A text or a line of the drawing at a place."""

    x: str
    y: str
    text: str = ""


@dataclass(frozen=True)
class Drawing:
    """The SVG's parts; all coordinates are texts."""

    left: str
    label_x: str
    rules: list[Mark]
    steady: str
    today: str
    dot: Mark | None
    joined: list[Bar]
    lost: list[Bar]
    heights: list[Mark]
    days: list[Mark]
    marks: list[Mark]


@dataclass(frozen=True)
class SizeChart:
    """`drawing` is None where there is nothing to draw: then `finding` says why and since when."""

    finding: str
    drawing: Drawing | None
    days: list[DayView] = field(default_factory=list)


def size_chart(days: list[DayView], size: Told, changed: set[date], minimum_size: int) -> SizeChart:
    """`days`: without a gap, the last one is today; `changed`: days on which the definition did."""
    if size.small:
        text = _("Fewer than %(count)s customers: of a small group no figures are shown.")
        return SizeChart(text % {"count": _number(minimum_size)}, None)
    known = [one for one in days if one.size is not None and one.size.size is not None]
    if size.size is None or not known:
        return SizeChart(_("Not evaluated yet: there is no size to show."), None)
    finding = _finding(size.size, days)
    return SizeChart(finding, _drawing(days, changed) if len(known) > 1 else None, days[::-1])


def _number(value: int) -> str:
    return reader_formats().number(value)


def _finding(size: int, days: list[DayView]) -> str:
    now = ngettext("%(number)s customer", "%(number)s customers", size) % {"number": _number(size)}
    before = days[-1 - _BEFORE].size
    if before is None or before.size is None:
        first = next(one.day for one in days if one.size is not None and one.size.size is not None)
        return _("%(customers)s; the size is known since %(day)s") % {
            "customers": now,
            "day": reader_formats().day(first),
        }
    if size == before.size:
        return _("%(customers)s, as many as 7 days ago") % {"customers": now}
    if before.size == 0:
        return _("%(customers)s, nobody 7 days ago") % {"customers": now}
    parts = {"customers": now, "percent": reader_formats().share(abs(size - before.size) / before.size)}
    more = _("%(customers)s, %(percent)s more than 7 days ago")
    fewer = _("%(customers)s, %(percent)s fewer than 7 days ago")
    return (more if size > before.size else fewer) % parts


def _drawing(days: list[DayView], changed: set[date]) -> Drawing:
    sizes = [one.size.size if one.size is not None else None for one in days]
    known = [size for size in sizes if size is not None]
    steps = ticks(min(known), max(known))
    # Numbers of ten million need more room on the left than those of ten.
    left = 16 + _LETTER * max(len(_number(step)) for step in steps)
    scale = Scale(steps[0], steps[-1], _TOP, _BOTTOM)
    across = [slot_middle(place, len(days), left, _RIGHT) for place in range(len(days))]
    points = [None if size is None else (x, scale.y(size)) for x, size in zip(across, sizes, strict=True)]
    joined, lost, heights = _flows(days, across, left)
    end = points[-1]
    return Drawing(
        left=coordinate(left),
        label_x=coordinate(left - 8),
        rules=[Mark("", coordinate(scale.y(step)), _number(step)) for step in steps],
        steady=line(points[:-1]),
        today=line(points[-2:]),
        dot=None if end is None else Mark(coordinate(end[0]), coordinate(end[1]), _number(sizes[-1] or 0)),
        joined=joined,
        lost=lost,
        heights=heights,
        days=_day_labels(days, across),
        marks=[Mark(coordinate(x), "") for x, one in zip(across, days, strict=True) if one.day in changed],
    )


def _flows(days: list[DayView], across: list[float], left: float) -> tuple[list[Bar], list[Bar], list[Mark]]:
    """Who joined stands on the line, who left hangs from it, both on one scale that starts at zero."""
    most_in = max((one.joined.size or 0 for one in days), default=0)
    most_out = max((one.left.size or 0 for one in days), default=0)
    if not (most_in or most_out):
        return [], [], []
    unit = min(_UP / most_in if most_in else _UP, _DOWN / most_out if most_out else _DOWN)
    width = min((_RIGHT - left) / len(days) * 0.66, _WIDEST_BAR)
    both = list(zip(across, days, strict=True))
    joined = [bar(x, width, _BASE, one.joined.size * unit) for x, one in both if one.joined.size]
    lost = [bar(x, width, _BASE, -one.left.size * unit) for x, one in both if one.left.size]
    heights = [Mark("", coordinate(_BASE + 4), _number(0))]
    # A number stands only where it is clear of the zero.
    if most_in * unit > 12:
        heights.append(Mark("", coordinate(_BASE - most_in * unit + 4), f"+{_number(most_in)}"))
    if most_out * unit > 12:
        heights.append(Mark("", coordinate(_BASE + most_out * unit + 4), f"−{_number(most_out)}"))
    return joined, lost, heights


def _day_labels(days: list[DayView], across: list[float]) -> list[Mark]:
    every = max(1, round(len(days) / _MOST_LABELS))
    formats = reader_formats()
    # Today is said in words at the right edge, and needs its room.
    return [
        Mark(coordinate(across[place]), "", formats.month_day(days[place].day))
        for place in range(every // 2, len(days), every)
        if across[place] <= _RIGHT - _ROOM_OF_TODAY
    ]
