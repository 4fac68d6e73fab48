"""Whole numbers that strangers write: in addresses, headers and fields of forms."""

from __future__ import annotations

_MOST_DIGITS = 18


def whole(text: str, most_digits: int = _MOST_DIGITS) -> int | None:
    """A number of 0 to 9 alone; None for anything else, and for more digits than anybody needs or a database keeps."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= most_digits else None
