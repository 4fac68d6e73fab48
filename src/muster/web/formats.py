"""How a reader writes numbers, money, days and lists: Babel's CLDR data, for pages and for descriptions of definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from muster.rules.describe.words import count_units

_UNITS = {"days": "duration-day", "hours": "duration-hour", "minutes": "duration-minute", "seconds": "duration-second"}


@dataclass(frozen=True)
class LocaleFormats:
    """`rules.describe.words.Formats` of one language, in the publisher's zone and currency."""

    locale: Locale
    zone: ZoneInfo
    currency: str

    def number(self, number: Decimal) -> str:
        return format_decimal(number, locale=self.locale, decimal_quantization=False)

    def money(self, amount: Decimal) -> str:
        """Without cents where there are none: "10 EUR" reads better than "10.00 EUR" in a sentence."""
        whole = amount == amount.to_integral_value()
        return format_currency(
            amount,
            self.currency,
            locale=self.locale,
            format=_without_cents(self.locale) if whole else None,
            currency_digits=not whole,
            decimal_quantization=whole,
        )

    def percent(self, percent: Decimal) -> str:
        return format_percent(percent / 100, locale=self.locale, decimal_quantization=False)

    def day(self, day: date) -> str:
        return format_date(day, format="long", locale=self.locale)

    def instant(self, instant: datetime) -> str:
        return format_datetime(instant, format="long", tzinfo=self.zone, locale=self.locale)

    def duration(self, length: timedelta) -> str:
        count, unit = count_units(length)
        return format_unit(count, _UNITS[unit], length="long", locale=self.locale)

    def list_and(self, items: Sequence[str]) -> str:
        return format_list(items, style="standard", locale=self.locale)

    def list_or(self, items: Sequence[str]) -> str:
        return format_list(items, style="or", locale=self.locale)

    def country(self, code: str) -> str:
        return str(self.locale.territories.get(code.upper(), code))


@lru_cache(maxsize=8)
def _without_cents(locale: Locale) -> str:
    """The locale's pattern of money, its fraction taken out."""
    pattern: str = locale.currency_formats["standard"].pattern
    return pattern.replace(".00", "").replace(".##", "")


def formats_for(language: str, zone: ZoneInfo, currency: str) -> LocaleFormats:
    """The formats of `en`, `de` or `fr`."""
    return LocaleFormats(Locale.parse(language), zone, currency)
