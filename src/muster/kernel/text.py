"""How texts are compared: NFC and one lower-case letter for one letter, in Python exactly as in SQL's `lower`."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """The form in which texts are compared without regard to case.

    Simple case mapping, letter by letter: it equals `lower(nfc_normalize(x))` of DuckDB for every code point (tested),
    which Python's own `lower` (final sigma) and `casefold` (ß -> ss) do not.
    """
    return "".join(map(_lower, unicodedata.normalize("NFC", text)))


def _lower(letter: str) -> str:
    lowered = letter.lower()
    if len(lowered) == 1:
        return lowered
    return "i" if letter == "\u0130" else letter
