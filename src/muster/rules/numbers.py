"""Numbers of definitions: exact decimals that every JSON reader keeps."""

from __future__ import annotations

from decimal import Decimal

from muster.kernel.worded import worded

# A double keeps any decimal of 15 significant digits, so that a number survives every JSON reader on its way.
_DIGITS = 15
_DECIMALS = 9


def parse_number(raw: object, decimals: int = _DECIMALS) -> Decimal:
    """The number in its one spelling (`1.0` and `1` are 1); ValueError says what is wrong with it.

    A boolean is no number. At most 15 significant digits, so less than 10^15, and `decimals` places.
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        raise ValueError(worded("is not a number"))
    # repr gives the shortest decimal that reads back as this float, which is what the document said.
    number = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(worded("is not a finite number"))
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    if not significant:
        return Decimal(0)
    exponent += len(text) - len(significant)
    if len(significant) + exponent > _DIGITS:
        raise ValueError(worded("is too large; it must be less than 10^15"))
    if -exponent > decimals:
        raise ValueError(worded("has more than {decimals} decimal places", decimals=decimals))
    if len(significant) > _DIGITS:
        raise ValueError(worded("has more than {digits} significant digits", digits=_DIGITS))
    plain = Decimal((sign, tuple(map(int, significant)), exponent))
    return Decimal(format(plain, "f"))


def json_number(number: Decimal) -> int | float:
    """The number for `json.dumps`; exact because of the 15 digits of `parse_number`."""
    return int(number) if number == number.to_integral_value() else float(number)
