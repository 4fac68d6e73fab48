"""Calendar days and birthdays in a time zone; everything else in Muster is an instant in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

OLDEST_AGE_YEARS = 120


def local_to_utc(wall: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    """The instant of a wall-clock time: in a gap with the offset before it, in a doubled hour the first (`fold=0`)."""
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a calendar day in the zone.

    Where midnight falls into a gap this is the end of the gap; a day that a zone skipped whole (Apia, 2011-12-30) has
    no instants: it starts where the next one does.
    """
    midnight = datetime.combine(day, time())
    instant = local_to_utc(midnight, zone)
    # A doubled midnight starts with its first pass (fold 0); a skipped one is read with the offset before the gap,
    # which gives an instant after it: step back to the first instant whose local date is not earlier than `day`.
    if instant.astimezone(zone).replace(tzinfo=None) == midnight:
        return instant
    early = local_to_utc(midnight, zone, fold=1)
    low, high = min(early, instant), max(early, instant)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).date() >= day:
            high = middle
        else:
            low = middle
    return high


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an instant in the zone."""
    return instant.astimezone(zone).date()


def day_code(day: date) -> int:
    """`YYYYMMDD` as a number: differences of 10,000 are full years, 29 February reaching its age on 1 March (C-17)."""
    return day.year * 10_000 + day.month * 100 + day.day


def full_years(birth_code: int, today_code: int) -> int:
    """Full years between two day codes; `birth_code` may name a 29 February that its year does not have."""
    return (today_code - birth_code) // 10_000


def age_on(birth: date, today: date) -> int:
    return full_years(day_code(birth), day_code(today))


@cache
def time_zones() -> frozenset[str]:
    """The names of IANA's that this system knows; to find them it reads hundreds of files."""
    return frozenset(available_timezones())
