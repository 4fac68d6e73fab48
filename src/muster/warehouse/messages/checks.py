"""What is checked of a message before it is accepted, so that the answer can say it (E-14). Meaning comes later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.values import read_value
from muster.warehouse.normal.instants import parse_instant
from muster.warehouse.normal.values import is_finite, text_of

TYPES = frozenset({"identify", "track", "page", "screen", "group", "alias"})
LARGEST_BYTES = 64 * 1024
LONGEST_ID = 255
# In seconds this is the year 5138, in milliseconds 1973.
_FIRST_MILLISECONDS = 100_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS = ("timestamp", "originalTimestamp", "sentAt")

Message = dict[str, Any]


def read_message(raw: bytes, kind: str | None) -> Message:
    """A message that may be accepted, `type` set; `kind` is the type that the path gives it, None in a batch.

    `MessageRefused` with the verdict otherwise.
    """
    if len(raw) > LARGEST_BYTES:
        raise MessageRefused("It is larger than 64 KiB.", code="item_too_large")
    message = read_value(raw)
    if not isinstance(message, dict):
        raise MessageRefused("It is no JSON object.", code="item_invalid")
    message["type"] = kind or message.get("type")
    _check_type(message)
    _check_ids(message)
    for name in _CLOCKS:
        if message.get(name) is not None and instant_of(message[name]) is None:
            raise MessageRefused(
                f"`{name}` is neither an RFC 3339 time nor a day nor seconds since 1970.", code="timestamp_invalid"
            )
    return message


def _check_type(message: Message) -> None:
    kind = message["type"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise MessageRefused(f"`type` is one of {', '.join(sorted(TYPES))}.", code="type_unknown")
    if kind == "track" and not (isinstance(message.get("event"), str) and message["event"].strip()):
        raise MessageRefused("A track call needs the name of its `event`.", code="event_missing")
    if kind == "alias" and id_of(message.get("previousId")) is None:
        raise MessageRefused("An alias call needs `previousId`.", code="previous_id_missing")


def _check_ids(message: Message) -> None:
    ids = [message.get(name) for name in ("userId", "anonymousId")]
    told = [one for one in ids if one is not None and one != ""]
    if not told or any(id_of(one) is None for one in told):
        raise MessageRefused(
            f"`userId` or `anonymousId` must be a text or a number of 1 to {LONGEST_ID} characters.",
            code="identity_missing",
        )


def id_of(value: Any) -> str | None:
    """An id as text: numbers as they are written; None if it is none, or too long to be one."""
    if isinstance(value, int) and not isinstance(value, bool):
        text: str | None = str(value)
    else:
        text = text_of(value)
    return text if text is not None and 1 <= len(text) <= LONGEST_ID else None


def instant_of(value: Any) -> datetime | None:
    """RFC 3339, a day (its midnight in UTC), or seconds or milliseconds since 1970 as a number; None otherwise."""
    if isinstance(value, str):
        return parse_instant(f"{value}T00:00:00Z" if len(value) == 10 else value)
    if not is_finite(value):
        return None
    seconds = value / 1000 if abs(value) >= _FIRST_MILLISECONDS else value
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
