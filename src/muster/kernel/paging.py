"""Opaque cursors for lists that are read page by page."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from muster.kernel.errors import MusterError

# Nothing we keep is older or younger, and whoever converts between time zones may step over the ends of a year; before
# the year 1 and after 9999 there is none.
_FIRST_YEAR, _LAST_YEAR = 1000, 9998


def encode_cursor(position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> Any:
    """The position inside a cursor; `cursor_invalid` if it was not made by `encode_cursor`."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        # Halves of letters are in no list, and no database takes them.
        json.dumps(position, ensure_ascii=False).encode()
    except (binascii.Error, ValueError, RecursionError) as error:
        raise cursor_invalid() from error
    return position


def instant_and_id(position: Any) -> tuple[datetime, str]:
    """Of a list by time, whose position is an instant (ISO 8601) and the id of what stands there."""
    match position:
        case [str(text), str(identifier)]:
            return instant_in(text), identifier
    raise cursor_invalid()


def instant_in(text: str) -> datetime:
    """An aware instant of a cursor; `cursor_invalid` for one that no list has."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise cursor_invalid() from error
    if at.tzinfo is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise cursor_invalid()
    return at


def cursor_invalid() -> MusterError:
    """Also for a position that another list gave out."""
    return MusterError("This cursor was not issued for this list. Start again without one.", code="cursor_invalid")
