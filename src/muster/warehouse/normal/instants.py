"""Instants and days in text, read as the warehouse's SQL reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


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
