"""Exchange rates as files and requests give them: exact, in either direction they are published in (C-24)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from muster.warehouse.batch import Rate

DIRECTIONS = ("per_base", "to_base")
"""Units of the currency for one of the publisher's, as the ECB publishes; units of the publisher's for one of it."""


def rate_of(day: date, currency: str, said: Decimal, direction: str) -> Rate:
    """`said` is greater than 0."""
    rate = Fraction(said)
    return Rate(day, currency, 1 / rate if direction == "per_base" else rate)
