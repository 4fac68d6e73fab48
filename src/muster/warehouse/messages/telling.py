"""What was said of all messages of a request, as it is kept beside those that were refused: to take them once more.

The same app, key and place stand with each of them. A replay has the meaning of the first arrival: the same trust, the
same clock, the same context.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from muster.warehouse.builder import as_json
from muster.warehouse.catalog import Trust
from muster.warehouse.messages.envelope import Envelope
from muster.warehouse.refused import Refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    """`kind` and `call` as in the spool: what the body is, and the type that the path gives a single message."""

    kind: str
    call: str | None
    received_at_us: int
    trust: int
    subject: str | None
    sent_at: Any
    context: dict[str, Any]

    def told(self) -> str:
        """As JSON. What is nested too deep to be written was no context of anything."""
        try:
            return as_json(vars(self))
        except RecursionError:
            return as_json(vars(self) | {"sent_at": None, "context": {}})


def request_of(refused: Refused) -> tuple[Request, Envelope]:
    """Of an item that can be taken once more; ValueError if what its request said of it was nothing."""
    assert refused.told is not None
    assert refused.place is not None
    request = Request(**json.loads(refused.told))
    envelope = Envelope(
        app=refused.app,
        trust=Trust(request.trust),
        received_at=_EPOCH + timedelta(microseconds=request.received_at_us),
        place=refused.place,
        source=refused.source,
        subject=request.subject,
        sent_at=request.sent_at,
        context=request.context,
    )
    return request, envelope
