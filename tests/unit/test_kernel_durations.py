"""Durations of fixed length (G-4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muster.kernel.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "length", "canonical"),
    [
        ("P30D", timedelta(days=30), "P30D"),
        ("P2W", timedelta(days=14), "P14D"),
        ("P1W1D", timedelta(days=8), "P8D"),
        ("PT36H", timedelta(hours=36), "P1DT12H"),
        ("PT90S", timedelta(seconds=90), "PT1M30S"),
        ("P1DT0H", timedelta(days=1), "P1D"),
    ],
)
def test_duration_has_one_length_and_one_spelling(text: str, length: timedelta, canonical: str) -> None:
    assert parse_duration(text) == length
    assert format_duration(length) == canonical


@pytest.mark.parametrize(
    "text", ["P1M", "P1Y", "P", "PT", "P1DT", "30D", "p30d", "P-1D", "P0D", "P1.5D", "P36526D", ""]
)
def test_what_has_no_fixed_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)
