"""Drawings, worked out by hand (D-33, D-35)."""

from __future__ import annotations

import pytest

from muster.web.charts import Bar, Scale, bar, line, share_widths, slot_middle, spark, ticks


def test_line_lifts_the_pen_over_gaps() -> None:
    assert line([(0, 10), (5, 2.25), None, None, (20, 4)]) == "M0.0 10.0L5.0 2.2M20.0 4.0"
    assert line([]) == ""
    assert line([None]) == ""


def test_scale_counts_downwards() -> None:
    scale = Scale(low=100, high=200, top=10, bottom=110)
    assert [scale.y(value) for value in (100, 150, 200)] == [110, 60, 10]
    assert Scale(7, 7, 10, 110).y(7) == 60


def test_slots_are_equally_wide() -> None:
    assert [slot_middle(place, 4, 100, 180) for place in range(4)] == [110, 130, 150, 170]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (2884, 3293, [2800, 3000, 3200, 3400]),
        (0, 0, [0, 1]),
        (7, 7, [7, 8]),
        (0, 3, [0, 1, 2, 3]),
        (0, 30, [0, 10, 20, 30]),
        (41_210, 41_215, [41_210, 41_212, 41_214, 41_216]),
        (0, 10_000_000, [0, 5_000_000, 10_000_000]),
    ],
)
def test_ticks_are_round_and_hold_everything(low: int, high: int, expected: list[int]) -> None:
    assert ticks(low, high) == expected


def test_bar_stands_on_its_base_or_hangs_from_it() -> None:
    assert bar(50, 8, 230, 12) == Bar("46.0", "218.0", "8.0", "12.0")
    assert bar(50, 8, 230, -13) == Bar("46.0", "230.0", "8.0", "13.0")


def test_widths_are_of_the_largest_share() -> None:
    assert share_widths([0.82, 0.41, None, 0.0]) == ["100.0", "50.0", None, "0.0"]
    assert share_widths([0.0, None]) == ["0.0", None]


def test_spark_is_a_path_with_gaps() -> None:
    assert spark([0, 11, None, 22], width=66, height=28) == "M3.0 25.0L23.0 14.0M63.0 3.0"
    assert spark([5, None], width=66, height=28) == "M3.0 14.0"
    assert spark([None, None]) == ""
    assert spark([4, 4], width=66, height=28) == "M3.0 14.0L63.0 14.0"
