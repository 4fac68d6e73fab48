"""Browsers that ask not to be tracked: what they send of a visitor is refused (E-41)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from muster.edge.gate import Asker
from muster.edge.request import Request
from muster.warehouse.messages.checks import id_of, read_message
from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.pieces import Body

VERDICT = "gpc"
SENTENCE = "The browser asks not to be tracked (Sec-GPC), and nobody has logged in."
_KEPT = ("type", "messageId")


class Sorted(NamedTuple):
    """`body`: with what is taken, None if that is nothing; `refused`: by place, as little of each as names it."""

    body: bytes | None
    items: int
    refused: dict[int, bytes]
    visitors: set[str]


def applies(request: Request, asker: Asker) -> bool:
    """To apps that want it, and to nobody whom the app has identified."""
    if not asker.key.respect_gpc or asker.vouched is not None or asker.key.kind == "server":
        return False
    return request.headers.get(b"sec-gpc", b"").strip() == b"1"


def sorted_body(body: bytes, read: Body, call: str | None) -> Sorted:
    """What is said of somebody who has no name stays out; what cannot be read is the drain's to judge."""
    taken: list[bytes] = []
    refused: dict[int, bytes] = {}
    visitors: set[str] = set()
    for index, raw in enumerate(read.messages):
        try:
            message = read_message(raw, call)
        except MessageRefused:
            taken.append(raw)
            continue
        visitor = id_of(message.get("anonymousId"))
        if id_of(message.get("userId")) is not None or visitor is None:
            taken.append(raw)
            continue
        refused[index] = msgspec.json.encode({name: message[name] for name in _KEPT if name in message})
        visitors.add(visitor)
    if not refused:
        return Sorted(body, len(taken), refused, visitors)
    if not taken:
        return Sorted(None, 0, refused, visitors)
    batch = {"batch": [msgspec.Raw(raw) for raw in taken], "context": read.context, "sentAt": read.sent_at}
    return Sorted(msgspec.json.encode(batch), len(taken), refused, visitors)
