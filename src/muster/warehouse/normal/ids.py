"""Ids that apps send: what programs send when they have none is no id (C-8)."""

from __future__ import annotations

import unicodedata

PLACEHOLDERS = (
    "null", "undefined", "none", "nan", "0", "true", "false", "anonymous", "guest", "id", "distinct_id", "email",
    "[object object]", "00000000-0000-0000-0000-000000000000", "",
)  # fmt: skip  # a table, read by rows
"""Lower case, without blanks around them."""
LONGEST_ID = 255
_WORDS = frozenset(PLACEHOLDERS)


def usable_id(text: str | None) -> str | None:
    """The id in NFC; None if it is absent, a placeholder or too long to be one."""
    if text is None or text.strip(" \t\r\n").lower() in _WORDS or len(text) > LONGEST_ID:
        return None
    return unicodedata.normalize("NFC", text)
