"""Wall clocks, days and ages against vectors computed from the IANA database (tests/data/time)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from muster.kernel.civil import age_on, day_code, day_start, full_years, local_day, local_to_utc

_VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data/time/tz_and_age_edges.json").read_text())


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize("case", _VECTORS["schedule"], ids=lambda case: f"{case['zone']} {case['local']}")
def test_wall_clock_time_has_its_instant(case: dict[str, str], fold: int) -> None:
    wall = datetime.fromisoformat(case["local"])
    assert local_to_utc(wall, ZoneInfo(case["zone"]), fold) == datetime.fromisoformat(case[f"utc_fold{fold}"])


@pytest.mark.parametrize("case", _VECTORS["age_on_date"], ids=lambda case: case["note"])
def test_age_changes_on_the_birthday(case: dict[str, Any]) -> None:
    birth, today = date.fromisoformat(case["birth"]), date.fromisoformat(case["on"])
    assert age_on(birth, today) == case["age"]
    assert full_years(day_code(birth), day_code(today)) == case["age"]


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z"),
        # Midnight falls into a gap: the day starts at 01:00 local time, the end of the gap.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z"),
        ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00Z"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00Z"),
        # Midnight happens twice: the day starts with the first.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00Z"),
        # A day without instants starts where the next one does.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00Z"),
        ("Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00Z"),
    ],
)
def test_day_starts_at_its_first_instant(zone: str, day: str, start: str) -> None:
    assert day_start(date.fromisoformat(day), ZoneInfo(zone)) == datetime.fromisoformat(start)


def test_local_day_is_the_one_of_the_zone() -> None:
    instant = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
    assert local_day(instant, ZoneInfo("Pacific/Kiritimati")) == date(2026, 1, 2)
    assert local_day(instant, ZoneInfo("Pacific/Niue")) == date(2025, 12, 31)
