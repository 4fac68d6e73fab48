"""What webhooks must learn from the rooms above, and from whoever runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise

from muster.webhooks.channels.addresses import Networks


@dataclass(frozen=True)
class Subject:
    """Something that events are about, by the id that stands with them and the key people use."""

    id: str
    key: str
    name: str


@dataclass(frozen=True)
class EventKind:
    """`scope`: what is needed to have such events sent, and to read what was sent.

    `subjects`: everything such an event may be about; None where there is nothing to choose.
    """

    key: str
    label: str | Promise
    scope: str
    subjects: Callable[[], list[Subject]] | None = None


event_kinds: dict[str, EventKind] = {}


def register_event(kind: EventKind) -> None:
    """Called in the `apps.py` of the room whose events they are."""
    event_kinds[kind.key] = kind


gatherers: list[Callable[[], datetime | None]] = []
"""Each emits what its room keeps back for a moment as far as its time has come, and answers when the rest's comes.

Asked by the worker before it looks for what is due. Registered in the rooms' `apps.py`.
"""

pokes: list[Callable[[], None]] = []
"""Told after the commit of whatever gives the worker something to do; the worker of this process listens."""

_opened: list[Networks] = []


def open_networks(networks: Networks) -> None:
    """Networks that may be sent to although they are not public."""
    _opened[:] = [networks]


def opened_networks() -> Networks:
    return _opened[0] if _opened else ()
