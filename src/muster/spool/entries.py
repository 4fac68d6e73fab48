"""What lies in the spool: accepted requests as received, until the warehouse has them (edge spec, section 5)."""

from __future__ import annotations

from typing import NamedTuple

ITEMS = "items"
"""The kind of a request with messages of tracking libraries."""
UNREADABLE = "unreadable"
"""The kind of the beginning of a body that said nothing; `call` is the reason."""
CONSENT = "consent"
"""The kind of a message in which a customer allows or refuses something."""


class Entry(NamedTuple):
    """One accepted request.

    `call`: the type that the path gave a single message, None of a batch. `app`, `source`: numbers of the app and of
    the key. `trust` as in the warehouse. `subject`: whom a customer token vouches for. `items`: how many messages the
    body holds, which is as received, unpacked.
    """

    kind: str
    call: str | None
    received_at_us: int
    app: int
    source: int
    trust: int
    subject: str | None
    items: int
    body: bytes


class Spooled(NamedTuple):
    """An entry with its place in its slot's file; places grow and are never used again."""

    seq: int
    entry: Entry
