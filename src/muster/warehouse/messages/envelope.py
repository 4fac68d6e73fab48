"""What is known of a message from the request it came in, and when it happened by whose clock (C-18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from muster.warehouse.catalog import Trust
from muster.warehouse.messages.checks import Message, id_of, instant_of
from muster.warehouse.messages.consents import KIND as CONSENT
from muster.warehouse.messages.errors import MessageRefused

# Smaller differences are the network, not the clock.
_TOLERANCE = timedelta(seconds=60)
_FIRST_YEAR = 1970


@dataclass(frozen=True)
class Envelope:
    """`source`: the number of the key. `place`: names the request for ever, so that an item without a `messageId` has
    the same hash however often it is drained. `subject`: the external id that a customer token vouches for."""

    app: int
    trust: Trust
    received_at: datetime
    place: str
    source: int = 0
    subject: str | None = None
    sent_at: Any = None
    context: Mapping[str, Any] = field(default_factory=dict)

    def trust_of(self, message: Message) -> Trust:
        """A token vouches for its own subject only (C-9)."""
        if self.trust is Trust.SIGNED and id_of(message.get("userId")) != self.subject:
            return Trust.OPEN
        return self.trust

    def context_of(self, message: Message) -> dict[str, Any]:
        """The message's own context over that of its batch."""
        own = message.get("context")
        return {**self.context, **(own if isinstance(own, dict) else {})}


def happened_at(message: Message, envelope: Envelope) -> datetime:
    """`timestamp_implausible` before 1970; what is ahead of its arrival happened on arrival."""
    received = envelope.received_at
    said = _instant(message, "timestamp") or _instant(message, "originalTimestamp")
    if said is None:
        return received
    if envelope.trust is not Trust.SERVER:
        # The device's clock is off by what it was when it sent.
        sent = _instant(message, "sentAt") or instant_of(envelope.sent_at)
        if sent is not None and abs(received - sent) > _TOLERANCE:
            said = _moved(said, received - sent)
    if said.year < _FIRST_YEAR:
        raise MessageRefused("It is said to have happened before 1970.", code="timestamp_implausible")
    return received if said - received > _TOLERANCE else said


def _moved(instant: datetime, by: timedelta) -> datetime:
    try:
        return instant + by
    except OverflowError:
        raise MessageRefused("By the sender's clock it is beyond all years.", code="timestamp_implausible") from None


def _instant(message: Message, name: str) -> datetime | None:
    value = message.get(name)
    return None if value is None else instant_of(value)


def hash_of(message: Message, raw: bytes, envelope: Envelope, index: int) -> bytes:
    """C-19: 16 bytes, the same for what is the same item sent again."""
    identifier = message.get("messageId")
    if message.get("type") == CONSENT and identifier:
        # Nobody but the customer can have said it before, whatever ids apps give to what they send.
        said = f"consent\x1f{message.get('userId')}\x1f{identifier}".encode("utf-8", "surrogatepass")
    elif isinstance(identifier, str | int) and identifier != "":
        # What an app sends under the id of a server's item does not keep that item out.
        kind = "server" if envelope.trust is Trust.SERVER else "id"
        said = f"{kind}\x1f{identifier}".encode("utf-8", "surrogatepass")
    elif message.get("timestamp") is not None or message.get("originalTimestamp") is not None:
        said = b"item\x1f" + raw
    else:
        # Two calls that say the same and nothing of when are two.
        said = f"place\x1f{envelope.place}\x1f{index}".encode()
    return blake2b(b"%d\x1f" % envelope.app + said, digest_size=16).digest()
