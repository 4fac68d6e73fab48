"""Days, instants and durations as definitions write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from muster.kernel.durations import parse_duration
from muster.kernel.worded import worded

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[Tt ](?P<time>\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)(?P<offset>[Zz]|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_CALENDAR_DURATION = re.compile(r"P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})D)?", re.ASCII)


def parse_moment(text: str) -> date | datetime:
    """A calendar day (`2026-11-21`) or an instant (RFC 3339), then aware and in UTC; ValueError says what is wrong."""
    if _DAY.fullmatch(text):
        return _day(text)
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError(worded("is neither a day such as 2026-11-21 nor an instant such as 2026-11-21T09:30:00Z"))
    _day(match["day"])
    if not match["offset"]:
        raise ValueError(worded("has no offset; add one, such as Z or +01:00, so that it means one instant everywhere"))
    try:
        return datetime.fromisoformat(f"{match['day']}T{match['time']}{match['offset'].upper()}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(worded("is not a time of day that exists")) from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(worded("is not a day of the calendar")) from error


def is_moment(text: str) -> bool:
    """Whether `parse_moment` accepts the text."""
    try:
        parse_moment(text)
    except ValueError:
        return False
    return True


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC, microseconds only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def fixed_duration_near(text: str) -> str | None:
    """For a duration in years or months the one of fixed length it probably stands for: `P1M` -> `P30D`."""
    match = _CALENDAR_DURATION.fullmatch(text)
    if not match or not (match[1] or match[2]):
        return None
    years, months, days = (int(number or 0) for number in match.groups())
    nearest = f"P{years * 365 + months * 30 + days}D"
    try:
        parse_duration(nearest)
    except ValueError:
        return None
    return nearest


def is_whole_days(length: timedelta) -> bool:
    return not length.seconds and not length.microseconds
