"""Texts of very many combining marks: to compose one takes the square of their number, seconds for 60 KB."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

MOST_MARKS = 30
"""In a row: the limit of stream-safe text (Unicode, UAX #15). No language comes near it."""
# Shorter texts are composed in a millisecond whatever they hold.
_SHORT = 1_024
# Beyond it no character combines (tested); all of Unicode would take ten times as long to look at.
_LAST = 0x1EFFF


def _marks() -> str:
    """A regular expression's class of what moves when a text is composed."""
    return "".join(chr(code) for code in range(0x300, _LAST + 1) if unicodedata.combining(chr(code)))


_RUN = re.compile(f"[{_marks()}]{{{MOST_MARKS + 1}}}")


def has_too_many_marks(value: Any) -> bool:
    """Of a JSON value: in any of its texts, names of members too."""
    if isinstance(value, str):
        return len(value) > _SHORT and not value.isascii() and _RUN.search(value) is not None
    if isinstance(value, list):
        return any(map(has_too_many_marks, value))
    if isinstance(value, dict):
        return any(has_too_many_marks(one) for pair in value.items() for one in pair)
    return False
