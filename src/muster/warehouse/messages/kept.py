"""What of a message is kept while it may be refused, and so be taken once more: all but the device's address (E-40)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from muster.warehouse.builder import as_json
from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.values import read_value

_ADDRESS = "ip"


def kept_text(raw: bytes) -> str:
    """As it was sent, but for `context.ip`; of what cannot be read, all of it.

    A message with an address, a time and no id counts as another one when it is sent again after a replay: libraries
    give an id to each.
    """
    if b'"ip"' in raw:
        try:
            message = read_value(raw)
        except MessageRefused:
            message = None
        context = message.get("context") if isinstance(message, dict) else None
        if isinstance(context, dict) and _ADDRESS in context:
            return as_json({**message, "context": without_address(context)})
    return raw.decode("utf-8", "replace").replace("\0", "")


def without_address(context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in context.items() if name != _ADDRESS}
