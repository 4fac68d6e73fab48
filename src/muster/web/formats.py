"""How a reader writes values: numbers, money, days and lists by the rules of CLDR (D-47, D-48)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta
from babel.lists import format_list
from babel.numbers import (
    NumberFormatError,
    format_currency,
    format_decimal,
    format_percent,
    get_group_symbol,
    parse_decimal,
)
from babel.units import format_unit

from muster.rules.describe.words import count_units

# Older than this a moment is said as a day, not as "3 days ago" (D-48).
_LONGEST_AGO = timedelta(days=7)
_UNITS = {"days": "duration-day", "hours": "duration-hour", "minutes": "duration-minute", "seconds": "duration-second"}
_NUMBER = re.compile(r"\s*[-+]?[0-9][0-9.,'’\s]*", re.UNICODE)
# CLDR puts a space between a currency's letters and the amount (currencySpacing), which Babel does not.
_LETTER_BEFORE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
_SMALLEST_SHARE = Decimal("0.001")


@dataclass(frozen=True)
class BabelFormats:
    """Implements `rules.describe.words.Formats`; `currency` is that of amounts which do not say their own."""

    locale: Locale
    zone: tzinfo
    currency: str

    def number(self, number: Decimal | int) -> str:
        """All its digits: 1,284,310 or 0.125."""
        if isinstance(number, int):
            return _whole(number, self.locale)
        return format_decimal(number, locale=self.locale, decimal_quantization=False)

    def read_number(self, text: str) -> Decimal | None:
        """What somebody typed as `number` writes it; None if it is none so: 1.5 in German, 1,5 in English."""
        if not get_group_symbol(self.locale).strip():
            # Whoever groups by spaces types any of them.
            text = "".join(text.split())
        if not _NUMBER.fullmatch(text):
            return None
        try:
            return parse_decimal(text.strip(), locale=self.locale, strict=True)
        except NumberFormatError:
            return None

    def money(self, amount: Decimal, currency: str | None = None) -> str:
        """With the digits of the currency, or more if the amount has them: €10.50."""
        code = currency or self.currency
        text = format_currency(amount, code, locale=self.locale, decimal_quantization=False)
        return _LETTER_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", text)

    def percent(self, percent: Decimal) -> str:
        """`percent` of a hundred with all its digits: 12.5%."""
        return format_percent(percent / 100, locale=self.locale, decimal_quantization=False)

    def share(self, ratio: Decimal | float) -> str:
        """A share of people, with at most one decimal; a share that is there is never shown as none (D-47)."""
        exact = Decimal(str(ratio))
        if 0 < exact < _SMALLEST_SHARE:
            return "< " + self.percent(_SMALLEST_SHARE * 100)
        return format_percent(
            exact.quantize(Decimal("0.001")).normalize(), locale=self.locale, decimal_quantization=False
        )

    def day(self, day: date) -> str:
        return format_date(day, format="medium", locale=self.locale)

    def month_day(self, day: date) -> str:
        """Without its year, where little room is: Nov 21."""
        return str(format_skeleton("MMMd", day, locale=self.locale))

    def instant(self, instant: datetime) -> str:
        """Day and time, to the second, on the reader's clock."""
        return _instant(instant, self.zone, self.locale)

    def time(self, instant: datetime) -> str:
        """The time of day, to the minute, on the reader's clock."""
        return format_time(instant, format="short", tzinfo=self.zone, locale=self.locale)

    def ago(self, instant: datetime, now: datetime) -> str:
        """How long ago, or when: after a week the day says more."""
        passed = now - instant
        if abs(passed) >= _LONGEST_AGO:
            return self.day(instant.astimezone(self.zone).date())
        return format_timedelta(-passed, add_direction=True, threshold=1, locale=self.locale)

    def duration(self, length: timedelta) -> str:
        count, unit = count_units(length)
        return format_unit(count, _UNITS[unit], locale=self.locale)

    def seconds(self, length: timedelta) -> str:
        """A measured time, to a tenth of a second: 1.4 sec."""
        tenths = Decimal(str(length.total_seconds())).quantize(Decimal("0.1"))
        return format_unit(tenths, "duration-second", "short", locale=self.locale)

    def bytes(self, count: int) -> str:
        """In the largest decimal unit that leaves at least one: 1.2 MB."""
        size, unit = Decimal(count), "byte"
        for larger in ("kilobyte", "megabyte", "gigabyte", "terabyte"):
            if size < 1000:
                break
            size, unit = size / 1000, larger
        return format_unit(size.quantize(Decimal("0.1")).normalize(), f"digital-{unit}", "short", locale=self.locale)

    def list_and(self, items: Sequence[str]) -> str:
        return format_list(items, style="standard", locale=self.locale)

    def list_or(self, items: Sequence[str]) -> str:
        return format_list(items, style="or", locale=self.locale)

    def country(self, code: str) -> str:
        """The name of an ISO 3166-1 code, or the code."""
        return self.locale.territories.get(code) or code


# Tables show the same instants and counts again and again, and each costs what ten cells cost.
@lru_cache(maxsize=4096)
def _instant(instant: datetime, zone: tzinfo, locale: Locale) -> str:
    return format_datetime(instant, format="medium", tzinfo=zone, locale=locale)


@lru_cache(maxsize=4096)
def _whole(number: int, locale: Locale) -> str:
    return format_decimal(number, locale=locale)


@lru_cache
def formats_for(language: str, zone: str, currency: str) -> BabelFormats:
    """`language`: `en`, `de`, `fr`; `zone`: IANA; `currency`: ISO 4217. ZoneInfoNotFoundError for an unknown zone."""
    return BabelFormats(Locale.parse(language), ZoneInfo(zone), currency)
