"""ISO 8601 durations of fixed length: weeks, days, hours, minutes, seconds.

Years and months are refused: their length depends on the date they are counted from, so a rolling window of `P1M`
would grow and shrink (ADR 0003).
"""

from __future__ import annotations

import re
from datetime import timedelta

_PATTERN = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)


def parse_duration(text: str) -> timedelta:
    """The length of `text`; ValueError unless it is a positive fixed-length ISO 8601 duration of at most 100 years."""
    match = _PATTERN.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration such as P30D or PT12H")
    length = timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})
    if not timedelta() < length <= timedelta(days=36_525):
        raise ValueError(f"{text!r} must be longer than nothing and at most 100 years")
    return length


def format_duration(length: timedelta) -> str:
    """The canonical text: days, then hours, minutes and seconds, each only if not zero (`PT36H` -> `P1DT12H`)."""
    seconds = length.days * 86_400 + length.seconds
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    return "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")
