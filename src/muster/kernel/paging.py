"""Opaque cursors for lists that are read page by page."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from muster.kernel.errors import MusterError


def encode_cursor(position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> Any:
    """The position inside a cursor; `cursor_invalid` if it was not made by `encode_cursor`."""
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise cursor_invalid() from error


def cursor_invalid() -> MusterError:
    """Also for a position that another list gave out."""
    return MusterError("This cursor was not issued for this list. Start again without one.", code="cursor_invalid")
