"""What the warehouse must know of the catalog to derive facts: apps, add-ons, events, custom attributes, by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property

from muster.kernel.text import key_of
from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Scope, Type


class Trust(IntEnum):
    """How far an item's sender is believed (C-9); a greater one includes the lesser."""

    OPEN = 0
    SIGNED = 1
    SERVER = 2


class AddOnKind(StrEnum):
    DURABLE = "durable"
    CONSUMABLE = "consumable"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True)
class App:
    """Settings of one app that decide what its items mean. `number` 1..65,535 is what the warehouse stores."""

    key: str
    number: int
    own_domains: tuple[str, ...] = ()
    listing_urls: tuple[str, ...] = ()
    """Prefixes; a page whose URL starts with one of them is a listing view, not use of the app."""
    default_currency: str | None = None
    sessions_reported: bool = False
    """C-21: False derives sessions from activity, True takes the app's own `session` events."""
    commerce_trust: Trust = Trust.OPEN
    signed_identity: bool = False
    """C-9 `identity_mode: signed`: an open item that claims a user id is refused."""
    store_ids: tuple[str, ...] = ()
    """Product ids under which an order line names the app itself."""
    strict: bool = False
    """C-2: events and attributes that the catalog does not know are refused."""
    spend_basis: str = "revenue"
    """C-23: which of `revenue` and `total` an order's amount is read from first."""


@dataclass(frozen=True)
class AddOn:
    """`skus`: every id an order line may name it by, beside `product_id`."""

    app: str
    product_id: str
    kind: AddOnKind
    skus: tuple[str, ...] = ()


@dataclass(frozen=True)
class EventKind:
    key: str
    number: int
    is_activity: bool = False
    names: tuple[str, ...] = ()
    """What else it is called on the wire; names are compared by their keys (C-1)."""


@dataclass(frozen=True)
class CustomAttribute:
    """Column `c_<number>` of profiles or app_facts. `key` is what traits are stored under (C-1)."""

    key: str
    number: int
    type: Type
    scope: Scope = Scope.CUSTOMER
    accept_from: Trust = Trust.OPEN

    @property
    def column(self) -> str:
        return f"c_{self.number}"


def _standard_events() -> Mapping[str, EventKind]:
    return {key: EventKind(key, event.number, event.is_activity, event.names) for key, event in STANDARD_EVENTS.items()}


@dataclass(frozen=True)
class Catalog:
    """`zone`: the publisher's IANA zone; `currency`: its ISO 4217 code. Mappings are by key."""

    apps: Mapping[str, App]
    zone: str = "UTC"
    currency: str = "EUR"
    profiling_unset: bool = True
    """Whether who never said anything of profiling is in segments (C-12)."""
    addons: tuple[AddOn, ...] = ()
    events: Mapping[str, EventKind] = field(default_factory=_standard_events)
    attributes: Mapping[str, CustomAttribute] = field(default_factory=dict)
    standard_accept_from: Mapping[str, Trust] = field(default_factory=dict)
    """Standard attributes whose values are taken only from items of at least this trust (C-9)."""

    @cached_property
    def _events_by_name(self) -> Mapping[str, EventKind]:
        wire = {key_of(name): event for event in self.events.values() for name in event.names}
        return {**wire, **self.events}

    def event_named(self, name: str) -> EventKind:
        """The event of a wire name; KeyError if there is none."""
        return self._events_by_name[key_of(name)]

    def knows_event(self, name: str) -> bool:
        return key_of(name) in self._events_by_name

    @cached_property
    def app_keys(self) -> Mapping[int, str]:
        return {app.number: key for key, app in self.apps.items()}

    @cached_property
    def event_keys(self) -> Mapping[int, str]:
        return {event.number: key for key, event in self.events.items()}
