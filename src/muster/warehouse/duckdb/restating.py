"""Rates of another publisher's currency: what was told in euros is told in dollars from now on (C-24)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from fractions import Fraction

import duckdb
import pyarrow as pa

from muster.warehouse.batch import Rate
from muster.warehouse.duckdb.derive_orders import RATE_DAYS
from muster.warehouse.duckdb.rates import CURRENCY
from muster.warehouse.duckdb.schema import get_meta, set_meta
from muster.warehouse.duckdb.scratch import registered

# Numerators and denominators are 64 bits wide; what does not fit is told to 18 digits.
_WIDEST = 10**9


def rates_without(connection: duckdb.DuckDBPyConnection, currency: str) -> list[Rate]:
    """Rates in force that cannot be told in the currency, for want of a rate of it on their days; by day."""
    told = _Told(_in_force(connection), currency)
    return [rate for rate in told.rates if told.worth(rate.day) is None]


def restate_rates(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> None:
    """Tells every rate in the new currency, and the old one as a foreign one; repeated, it changes nothing.

    What could not be told is dropped. Who had put a rate no longer matters: they are other rates now.
    """
    if get_meta(connection, CURRENCY) == new:
        return
    told = _Told(_in_force(connection), new)
    restated = [(rate.day, rate.currency, rate.rate, worth) for rate in told.rates if (worth := told.worth(rate.day))]
    rows = [(day, code, rate / worth) for day, code, rate, worth in restated]
    rows += [(day, old, 1 / worth) for day, worth in told.days]
    with registered(connection, "restated_rates", _table(rows)):
        connection.execute("DELETE FROM rate_entries")
        connection.execute("DELETE FROM rates")
        connection.execute("INSERT INTO rate_entries SELECT *, 0, 1 FROM restated_rates")
        connection.execute("INSERT INTO rates SELECT * FROM restated_rates")
    set_meta(connection, CURRENCY, new)


class _Told:
    """`rates` of all but one currency, by day; `days`: what that one was worth, by day."""

    def __init__(self, rates: Iterable[Rate], currency: str) -> None:
        ordered = sorted(rates, key=lambda rate: (rate.day, rate.currency))
        self.rates = [rate for rate in ordered if rate.currency != currency]
        self.days = [(rate.day, rate.rate) for rate in ordered if rate.currency == currency]
        self._known = [day for day, _ in self.days]

    def worth(self, day: date) -> Fraction | None:
        """That currency's worth of the day, or of the nearest day before that still counts."""
        place = bisect_right(self._known, day)
        if not place or (day - self.days[place - 1][0]).days > RATE_DAYS:
            return None
        return self.days[place - 1][1]


def _in_force(connection: duckdb.DuckDBPyConnection) -> list[Rate]:
    found = connection.execute("SELECT day, currency, numerator, denominator FROM rates").fetchall()
    return [Rate(day, currency, Fraction(numerator, denominator)) for day, currency, numerator, denominator in found]


def _table(rows: list[tuple[date, str, Fraction]]) -> pa.Table:
    fitting = [(day, currency, _fitting(rate)) for day, currency, rate in rows]
    return pa.table(
        {
            "day": pa.array([day for day, _, _ in fitting], pa.date32()),
            "currency": pa.array([currency for _, currency, _ in fitting], pa.string()),
            "numerator": pa.array([rate.numerator for _, _, rate in fitting], pa.int64()),
            "denominator": pa.array([rate.denominator for _, _, rate in fitting], pa.int64()),
        }
    )


def _fitting(rate: Fraction) -> Fraction:
    if max(rate.numerator, rate.denominator) < 2**63:
        return rate
    return rate.limit_denominator(_WIDEST) if rate >= 1 else 1 / (1 / rate).limit_denominator(_WIDEST)
