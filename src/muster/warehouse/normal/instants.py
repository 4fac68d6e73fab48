"""Instants and days in text, read as the warehouse's SQL reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

# Years 1000 to 9998: beyond, Python and SQL disagree about what exists.
_YEAR = r"(?:[1-8]\d{3}|9[0-8]\d\d|99[0-8]\d|999[0-8])"
_CLOCK = r"((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?"
_OFFSET = r"([Zz]|[+-](?:0\d|1[0-5]):[0-5]\d)"
_INSTANT = re.compile(rf"({_YEAR}-\d\d-\d\d)[Tt ]{_CLOCK}{_OFFSET}", re.ASCII)
_DAY = re.compile(rf"{_YEAR}-\d\d-\d\d", re.ASCII)


def parse_instant(text: str) -> datetime | None:
    """RFC 3339 with an offset as an aware UTC datetime, beyond microseconds cut off; None if it is none."""
    match = _INSTANT.fullmatch(text)
    if not match:
        return None
    day, time, fraction, offset = match.groups()
    micros = ((fraction or "") + "000000")[:6]
    try:
        return datetime.fromisoformat(f"{day}T{time}.{micros}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_day(text: str) -> date | None:
    """`YYYY-MM-DD` as a date; None if there is no such day."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
