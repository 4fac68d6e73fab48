"""The days a chart draws tell no more than the changes of which they are made (D-35, D-44, G-21)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from pyroaring import BitMap

from muster.groups.actions.memory import remember
from muster.groups.models import Group
from muster.groups.pages.size_chart import SizeChart, size_chart
from muster.groups.policies import Told
from muster.groups.queries.history import DayView, days_of
from muster.groups.terms import Cause, Kind
from tests.integration.groups.rows import stored_group

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
SMALL = Told(None, small=True)
NOBODY = Told(0)


@pytest.fixture
def group(db: None) -> Group:
    """30 on the first day; on the third 15 join and then 5 leave; on the fifth 30 leave; on the sixth 60 join."""
    row = stored_group(1, BEGIN, kind=Kind.SEGMENT, generation=1, size=0)
    sizes = [(0, 0, 30), (2, 30, 45), (2, 45, 40), (4, 40, 10), (5, 10, 70)]
    for hour, (day, before, after) in enumerate(sizes):
        at = BEGIN + timedelta(days=day, hours=hour)
        remember(row, BitMap(range(before)), BitMap(range(after)), Cause.DEFINITION, at)
    return row


def _day(number: int) -> date:
    return date(2026, 1, number)


def _days(group: Group, first: int, last: int, *, may_list: bool) -> list[tuple[int, Told | None, Told, Told]]:
    found = days_of(group.id, _day(first), _day(last), may_list=may_list)
    return [(one.day.day, one.size, one.joined, one.left) for one in found]


def test_days_tell_sizes_and_who_came_and_went(group: Group) -> None:
    before = date(2025, 12, 31)
    assert days_of(group.id, before, before, may_list=True) == [DayView(before, None, NOBODY, NOBODY)]
    assert _days(group, 1, 6, may_list=True) == [
        # Whoever a group began with did not join it.
        (1, Told(30), NOBODY, NOBODY),
        (2, Told(30), NOBODY, NOBODY),
        (3, Told(40), Told(15), Told(5)),
        (4, Told(40), NOBODY, NOBODY),
        # Of a small group nothing is told to anybody.
        (5, SMALL, SMALL, SMALL),
        (6, Told(70), SMALL, SMALL),
    ]


def test_days_begin_with_the_size_from_before(group: Group) -> None:
    assert _days(group, 4, 4, may_list=True) == [(4, Told(40), NOBODY, NOBODY)]


def test_sum_of_a_day_hides_what_one_of_its_changes_hides(group: Group) -> None:
    # Fifteen and five are few: who may not list the members learns neither, nor their sum.
    assert _days(group, 3, 3, may_list=False) == [(3, Told(40), SMALL, SMALL)]


def _drawn(*sizes: Told | None) -> SizeChart:
    days = [DayView(_day(number), size, NOBODY, NOBODY) for number, size in enumerate(sizes, start=1)]
    with timezone.override(UTC):
        return size_chart(days, sizes[-1] or Told(None), set(), 25)


def test_gap_is_a_gap_and_today_is_drawn_apart(db: None) -> None:
    chart = _drawn(*[Told(100)] * 4, None, SMALL, Told(100), Told(200))
    assert chart.drawing is not None
    assert (chart.drawing.steady.count("M"), chart.drawing.steady.count("L")) == (2, 3)
    assert (chart.drawing.today.count("M"), chart.drawing.today.count("L")) == (1, 1)
    assert [one.day.day for one in chart.days] == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("sizes", "finding"),
    [
        ([Told(1000), *[None] * 6, Told(1005)], "1,005 customers, 0.5% more than 7 days ago"),
        ([Told(50), *[None] * 6, Told(30)], "30 customers, 40% fewer than 7 days ago"),
        ([Told(30)] * 8, "30 customers, as many as 7 days ago"),
        ([NOBODY, *[None] * 6, Told(30)], "30 customers, nobody 7 days ago"),
        ([None] * 6 + [Told(29), Told(30)], "30 customers; the size is known since Jan 7, 2026"),
        ([SMALL] * 7 + [Told(30)], "30 customers; the size is known since Jan 8, 2026"),
        ([Told(30)] * 7 + [SMALL], "Fewer than 25 customers: of a small group no figures are shown."),
        ([None] * 8, "Not evaluated yet: there is no size to show."),
    ],
)
def test_caption_states_the_finding(db: None, sizes: list[Told | None], finding: str) -> None:
    assert _drawn(*sizes).finding == finding


def test_nothing_is_drawn_of_one_day_or_of_a_small_group(db: None) -> None:
    assert _drawn(*[None] * 7, Told(30)).drawing is None
    small = _drawn(*[Told(30)] * 7, SMALL)
    assert (small.drawing, small.days) == (None, [])
