"""The words that messages use: names of events, traits with the type of their first value (C-1 to C-3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from muster.kernel.text import key_of
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Type
from muster.warehouse.items import flat_traits
from muster.warehouse.messages.checks import Message
from muster.warehouse.normal.instants import parse_day, parse_instant
from muster.warehouse.normal.traits import STANDARD_TRAITS
from muster.warehouse.normal.values import is_number

# Of these identity, contact and facts are made: they are no custom attributes.
KNOWN_TRAITS = frozenset(STANDARD_TRAITS) | frozenset(STANDARD_ATTRIBUTES) | {"email"}
_OF_TYPE = {"page": "page_viewed", "screen": "screen_viewed", "group": "account_joined"}


def event_name(message: Message) -> str | None:
    """What happened: a name of the wire, or the key of a standard event; None where nothing did."""
    return message["event"] if message["type"] == "track" else _OF_TYPE.get(message["type"])


def traits_of(message: Message, context: dict[str, Any]) -> dict[str, Any]:
    """Traits by the catalog's keys. Of the same trait its own beats that of the context (C-16)."""
    if message["type"] == "group":
        account = message.get("groupId")
        return {} if account is None else {"account_id": account}
    if message["type"] != "identify":
        return {}
    said: dict[str, Any] = {}
    for traits in (context.get("traits"), message.get("traits")):
        if isinstance(traits, dict):
            said |= {key: value for name, value in flat_traits(traits).items() if (key := key_of(name))}
    return said


def observed_type(value: Any) -> Type:
    """The type of an attribute whose first value this is (C-3)."""
    if isinstance(value, bool):
        return Type.BOOLEAN
    if is_number(value):
        return Type.NUMBER
    if isinstance(value, list):
        return Type.LIST
    if isinstance(value, str) and parse_instant(value):
        return Type.TIMESTAMP
    return Type.DATE if isinstance(value, str) and parse_day(value) else Type.TEXT


def new_traits(traits: Iterable[tuple[str, Any]], known: Iterable[str]) -> dict[str, Type]:
    """Of traits that the catalog does not know, in order, the type of the first value that says one."""
    there = KNOWN_TRAITS | set(known)
    found: dict[str, Type] = {}
    for key, value in traits:
        # Of a few letters the small form has a small form of its own: they make no key.
        if value is not None and key not in there and key == key.casefold():
            found.setdefault(key, observed_type(value))
    return found
