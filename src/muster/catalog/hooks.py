"""What the catalog must learn from the rooms above: which of its words they use, what they have against a change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from muster.rules.vocabulary import Type


@dataclass(frozen=True)
class Words:
    """Keys of attributes and of events."""

    attributes: frozenset[str]
    events: frozenset[str]


words_in_use: list[Callable[[], Words]] = []
"""Each answers what of the catalog its room's things name; registered in the rooms' apps.py."""

publisher_changing: list[Callable[[Mapping[str, Any], Mapping[str, Any]], None]] = []
"""Each is told, in the transaction, the settings as they are and those that are about to change; it may refuse."""


@dataclass(frozen=True)
class AppFigures:
    """`customers`: who has the app; `last_used_at`: the newest use of it by anybody."""

    customers: int
    last_used_at: datetime | None


@dataclass(frozen=True)
class Seen:
    """How often an event happened in an app, and when last."""

    count: int
    last_at: datetime


@dataclass(frozen=True)
class AppTab:
    """A page of an app that another room has: `page` names its address, `scope` is what it takes to see it."""

    key: str
    label: str | Promise
    page: str
    scope: str


app_tabs: list[AppTab] = []
"""Beside the pages of this room, in this order; registered in the rooms' apps.py."""

app_figures: list[Callable[[], Mapping[str, AppFigures]]] = []
"""Answers figures by app; what is absent has none. Registered by the room that has the data."""

event_figures: list[Callable[[str], Mapping[str, Seen]]] = []
"""Answers, for an app, figures by event."""


@dataclass(frozen=True)
class KeyUse:
    """How many messages that came with a key were taken in the last 24 hours, and when the last one."""

    count: int
    last_at: datetime


key_uses: list[Callable[[Collection[int]], Mapping[int, KeyUse]]] = []
"""Answers uses by source (`KeyView.source`), as far back as its room looks; what is absent was not used."""

_edge: list[str] = []


def provide_edge_address(address: str) -> None:
    """Where apps send to, as `wiring` knows it; the newest word counts."""
    _edge[:] = [address]


def edge_address() -> str:
    """Scheme and host without a slash at the end."""
    return _edge[0] if _edge else "http://127.0.0.1:8081"


values_lost: list[Callable[[str, Type, Type], int]] = []
"""Answers how many customers' values of an attribute another type cannot hold (attribute, its type, the other)."""

keys_changed: list[Callable[[], None]] = []
"""Called when what the edge must know of keys is another, before the call that caused it returns (E-35)."""

meaning_changed: list[Callable[[], None]] = []
"""Called in the transaction that changed what kept data means: facts are derived again (C-5)."""
