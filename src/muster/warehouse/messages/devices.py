"""The device a message came from, as far as its context says (C-11)."""

from __future__ import annotations

from typing import Any

from muster.warehouse.items import Device
from muster.warehouse.messages.checks import id_of
from muster.warehouse.normal.values import text_of

_FAMILY_OF_TYPE = {
    "android": "phone", "ios": "phone", "mobile": "phone", "ipados": "tablet", "windows": "desktop",
    "macos": "desktop", "linux": "desktop", "browser": "desktop", "smarttv": "tv", "tvos": "tv", "wearable": "watch",
    "watchos": "watch",
}  # fmt: skip  # a table
_LONGEST = 1_024


def device_of(context: dict[str, Any], anonymous_id: str | None) -> Device | None:
    """None if nothing names one: what a server says of its own system is not the customer's."""
    told = _object(context, "device")
    identifier = id_of(told.get("id")) or anonymous_id
    if identifier is None:
        return None
    agent = _object(context, "userAgentData")
    system = _object(context, "os")
    return Device(
        device_id=identifier,
        device_family=_family(told, agent),
        os=_text(system, "name") or _text(agent, "platform"),
        os_version=_text(system, "version"),
        app_version=_text(_object(context, "app"), "version"),
        device_model=_text(told, "model"),
        locale=_text(context, "locale"),
        time_zone=_text(context, "timezone"),
    )


def _family(told: dict[str, Any], agent: dict[str, Any]) -> str | None:
    kind = (_text(told, "type") or "").casefold()
    if kind:
        is_tablet = "ipad" in (_text(told, "model") or "").casefold()
        return "tablet" if is_tablet else _FAMILY_OF_TYPE.get(kind, kind)
    if isinstance(agent.get("mobile"), bool):
        return "phone" if agent["mobile"] else "desktop"
    return None


def _object(outer: dict[str, Any], name: str) -> dict[str, Any]:
    value = outer.get(name)
    return value if isinstance(value, dict) else {}


def _text(outer: dict[str, Any], name: str) -> str | None:
    text = text_of(outer.get(name))
    text = text.strip() if text is not None else ""
    return text if 0 < len(text) <= _LONGEST else None
