"""Messages to translate: declared where they stand, looked up when a reader's language is known."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """English text with named placeholders; `context` tells translators where it stands."""

    context: str
    text: str


class PluralMessage(NamedTuple):
    context: str
    text: str
    plural: str


class Wording(NamedTuple):
    """How a condition reads, and how its negation does."""

    positive: Message | PluralMessage
    negative: Message | PluralMessage


def message(context: str, text: str) -> Message:
    """Marks a text for extraction by Babel (keyword `message:1c,2`)."""
    return Message(context, text)


def plural(context: str, text: str, plural: str) -> PluralMessage:
    """Marks a text with a plural for extraction by Babel (keyword `plural:1c,2,3`)."""
    return PluralMessage(context, text, plural)
