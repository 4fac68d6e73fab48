"""What a definition may talk about: attributes with their types, events with their properties, apps and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Type(StrEnum):
    """The types of attributes and of event properties."""

    TEXT = "text"
    CATEGORY = "category"
    NUMBER = "number"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    VERSION = "version"
    LIST = "list"


class Scope(StrEnum):
    """How many values one customer has of an attribute: one; one per app; one per active device."""

    CUSTOMER = "customer"
    APP = "app"
    DEVICE = "device"


@dataclass(frozen=True)
class Attribute:
    """One attribute. `values` are the labels of a closed category; an open one has none."""

    key: str
    type: Type
    scope: Scope
    category: str = "custom"
    values: tuple[str, ...] = ()
    number: int | None = None
    """Catalog number of a custom attribute (its column is `c_<number>`); None for standard ones."""


@dataclass(frozen=True)
class Event:
    """One event and the types of those of its properties that are known."""

    key: str
    number: int
    properties: Mapping[str, Type] = field(default_factory=dict)


@dataclass(frozen=True)
class Vocabulary:
    """Everything a definition of this installation may name, by key. `groups` maps id and key alike to the id."""

    attributes: Mapping[str, Attribute]
    events: Mapping[str, Event]
    apps: Mapping[str, int]
    groups: Mapping[str, str] = field(default_factory=dict)
