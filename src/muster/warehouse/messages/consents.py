"""What a customer allows or refuses, told by an app with their token: a message of its own kind (C-12, C-13)."""

from __future__ import annotations

from typing import Any

from muster.warehouse.messages.checks import Message, id_of
from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.values import read_value

KIND = "consent"
"""The `type` of such a message. No tracking library sends it: ingest knows no such type."""
PURPOSES = ("profiling", "marketing", "offers")
CHANNELS = ("push", "email", "webhook")
STATES = {"granted": True, "denied": False}
LONGEST_TEXT = 255


def read_consent(raw: bytes) -> Message:
    """The message of a JSON text; `MessageRefused` as `check_consent`."""
    message = read_value(raw)
    if not isinstance(message, dict):
        raise MessageRefused("It is no JSON object.", code="item_invalid")
    check_consent(message)
    return message


def check_consent(message: Message) -> None:
    """`type`, `userId`, `purpose`, `state`; `channel` of marketing only; `textVersion`: which text it was said to."""
    if message.get("type") != KIND:
        raise MessageRefused(f"`type` is {KIND}.", code="type_unknown")
    if id_of(message.get("userId")) is None:
        raise MessageRefused("`userId` must be a text of 1 to 255 characters.", code="identity_missing")
    _check(message.get("purpose") in PURPOSES, f"The purpose is one of {', '.join(PURPOSES)}")
    state = message.get("state")
    _check(isinstance(state, str) and state in STATES, f"`state` is one of {', '.join(STATES)}")
    channel = message.get("channel")
    if channel is not None:
        _check(
            message["purpose"] == "marketing" and channel in CHANNELS,
            f"Only marketing has a `channel`, and it is one of {', '.join(CHANNELS)}",
        )
    for name in ("textVersion", "messageId"):
        _check(message.get(name) is None or _is_text(message[name]), f"`{name}` is a text of up to {LONGEST_TEXT}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_TEXT


def _check(holds: bool, sentence: str) -> None:
    if not holds:
        raise MessageRefused(f"{sentence}.", code="consent_invalid")
