"""What unmodified libraries sent, and messages made up by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from muster.kernel.text import key_of
from muster.rules.vocabulary import Type
from muster.warehouse.catalog import App, Catalog, CustomAttribute, EventKind, Trust
from muster.warehouse.items import Item
from muster.warehouse.messages.checks import read_message
from muster.warehouse.messages.envelope import Envelope
from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.pieces import read_body
from muster.warehouse.messages.translation import Received, item_of

RECEIVED = datetime(2026, 11, 21, 18, 46, tzinfo=UTC)
NOTES, SHOP, STRICT = 1, 2, 3

CATALOG = Catalog(
    apps={
        "notes": App("notes", NOTES),
        "shop": App("shop", SHOP, spend_basis="total"),
        "strict": App("strict", STRICT, strict=True),
    },
    events={
        **Catalog(apps={}).events,
        **{
            key_of(name): EventKind(key_of(name), number, names=(name,))
            for number, name in enumerate(("Signed Up", "Evt", "App Opened By Hand"), start=300)
        },
    },
    attributes={
        "plan": CustomAttribute("plan", 1, Type.TEXT),
        "account_id": CustomAttribute("account_id", 2, Type.TEXT),
    },
)

_FILE = Path(__file__).parents[2] / "data/contracts/tracking.json"
_REQUESTS = json.loads(_FILE.read_text(encoding="utf-8"))["requests"]


def recorded(agent: str) -> list[dict[str, Any]]:
    """The requests of one library, by the beginning of its user agent."""
    return [
        one
        for one in _REQUESTS
        if next(value for name, value in one["headers"].items() if name.lower() == "user-agent").startswith(agent)
    ]


def envelope(**fields: Any) -> Envelope:
    told = {"app": NOTES, "trust": Trust.SERVER, "received_at": RECEIVED, "place": "1.1", **fields}
    return Envelope(**told)


def items_of(body: bytes | dict[str, Any], kind: str | None = None, **fields: Any) -> list[Item]:
    """Every message of a body as an item; none of them may be refused."""
    read = read_body(body if isinstance(body, bytes) else json.dumps(body).encode(), kind)
    about = envelope(context=read.context, sent_at=read.sent_at, **fields)
    return [
        item_of(Received(read_message(raw, kind), raw, about, index), CATALOG)
        for index, raw in enumerate(read.messages)
    ]


def item(message: dict[str, Any], **fields: Any) -> Item:
    [one] = items_of({"batch": [message]}, **fields)
    return one


def verdicts(body: bytes, kind: str | None = None) -> list[str]:
    """Of each message why it is not accepted, or ok."""
    return [_verdict(raw, kind) for raw in read_body(body, kind).messages]


def _verdict(raw: bytes, kind: str | None) -> str:
    try:
        read_message(raw, kind)
    except MessageRefused as refused:
        return refused.code
    return "ok"
