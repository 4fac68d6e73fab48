"""An explanation as plain data: every node with its sentence, the value seen and the events that decide it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from muster.engine.explain import Explained
from muster.groups.queries.previews import encode_node
from muster.rules.describe.sentence import clause
from muster.rules.describe.words import Words
from muster.rules.nodes import All, AnyOf, NoneOf
from muster.warehouse.port import PersonEvent


def tree(node: Explained, words: Words) -> dict[str, Any]:
    """JSON-able; `text` is the condition as a clause in the reader's language."""
    is_group = isinstance(node.node, All | AnyOf | NoneOf)
    found: dict[str, Any] = {
        "pointer": node.pointer,
        "kind": node.kind,
        "truth": node.truth,
        "changes_at": plain(node.changes_at),
    }
    if is_group:
        return found | {"children": [tree(child, words) for child in node.children]}
    found |= {
        "condition": encode_node(node.node),
        "text": clause(node.node, words),  # type: ignore[arg-type]  # groups of conditions were answered above
        "seen": plain(node.seen),
        "events": [_event(event) for event in node.events],
    }
    return found if node.threshold is None else found | {"threshold": node.threshold}


def _event(event: PersonEvent) -> dict[str, Any]:
    return {
        "app": event.app,
        "event": event.event,
        "happened_at": plain(event.happened_at),
        "properties": plain(event.properties),
    }


def plain(value: Any) -> Any:
    """Instants as RFC 3339 in UTC, decimals as numbers, the rest as it is."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
