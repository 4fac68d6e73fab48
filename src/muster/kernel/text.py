"""How texts are compared: NFC and one lower-case letter for one letter, in Python exactly as in SQL's `lower`."""

from __future__ import annotations

import re
import unicodedata

_BETWEEN_CASES = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")
_NOT_WORD = re.compile(r"[\W_]+")
# What follows is no part of a key; to normalise combining marks takes the square of their number.
_READ_OF_NAME = 400


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


def key_of(name: str) -> str:
    """C-1: one key for `Level Up`, `levelUp` and `level_up`; "" if the name has no letter or digit, 100 at most."""
    parted = _BETWEEN_CASES.sub("_", unicodedata.normalize("NFKC", name[:_READ_OF_NAME])).casefold()
    return _NOT_WORD.sub("_", parted).strip("_")[:100].strip("_")
