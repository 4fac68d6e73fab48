"""Devices in plain Python: whose each is, and what is newest known of it (C-11)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from muster.engine.reference.identity import Customer, Everybody
from muster.engine.reference.usage import device_of, place
from muster.kernel.versions import is_version, version_key
from muster.rules.standard import DEVICE_FAMILIES
from muster.warehouse.items import Item
from muster.warehouse.normal.languages import language_tag
from muster.warehouse.normal.zones import zone_name

Device = tuple[int, str]


def devices_of(everybody: Everybody) -> dict[Device, dict[str, Any]]:
    """Each device with what is newest known of it; whose who last signed in there (C-11)."""
    seen: dict[Device, list[tuple[Item, Customer]]] = defaultdict(list)
    for customer in everybody.customers:
        for item in customer.items:
            device_id = device_of(item)
            if item.app and device_id is not None:
                seen[item.app, device_id].append((item, customer))
    devices = {}
    for device, sightings in seen.items():
        ordered = sorted((item for item, _ in sightings), key=place)
        owner = max(sightings, key=lambda sighting: (sighting[1].identified, place(sighting[0])))[1]
        devices[device] = {
            "customer": owner,
            **_description(ordered),
            "first_seen_at": ordered[0].happened_at,
            "last_seen_at": ordered[-1].happened_at,
        }
    return devices


def _description(items: list[Item]) -> dict[str, Any]:
    def newest(column: str) -> str | None:
        told = [getattr(item.device, column) for item in items if item.device]
        return next((value for value in reversed(told) if value is not None), None)

    def newest_known(column: str, read: Any) -> str | None:
        told = [read(value) for item in items if item.device and (value := getattr(item.device, column)) is not None]
        return next((value for value in reversed(told) if value), None)

    family = newest("device_family")
    return {
        "device_family": family if family is None else family.lower() if family.lower() in DEVICE_FAMILIES else "other",
        "os": newest("os"),
        "os_version": newest("os_version"),
        "os_version_key": newest_known("os_version", _version_key),
        "app_version": newest("app_version"),
        "app_version_key": newest_known("app_version", _version_key),
        "device_model": newest("device_model"),
        "locale": newest_known("locale", language_tag),
        "time_zone": newest_known("time_zone", zone_name),
    }


def _version_key(text: str) -> str | None:
    return version_key(text) if is_version(text) else None
