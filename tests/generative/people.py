"""People as two derivations can be compared by: without the numbers that the order of arrival gives."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from muster.warehouse.port import Person


def comparable(people: Iterable[Person]) -> dict[str, dict[str, Any]]:
    """By their identities."""
    listed = list(people)
    device_ids = {
        (device["app"], device["device_key"]): device["device_id"] for person in listed for device in person.devices
    }
    compared = {}
    for person in listed:
        row = dataclasses.asdict(person)
        del row["customer_key"]
        row["devices"] = _sorted({k: v for k, v in d.items() if k != "device_key"} for d in person.devices)
        row["sessions"] = _sorted(
            {**s, "device_key": device_ids.get((s["app"], s["device_key"]))} for s in person.sessions
        )
        row["events"] = _sorted(row["events"])
        row["identities"] = _sorted(row["identities"])
        row["orders"] = _sorted(row["orders"])
        compared[str(row["identities"])] = row
    assert len(compared) == len(listed)
    return compared


def _sorted(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def in_one_order(person):
    """To be compared: what has no order in one, devices without the ids that not every way of telling knows."""
    devices = [{k: v for k, v in device.items() if k != "device_id"} for device in person.devices]
    events = sorted(person.events, key=lambda e: (e.happened_at, e.app, e.event, str(sorted(e.properties.items()))))
    order = {"key": lambda row: str(sorted(row.items(), key=str))}
    return dataclasses.replace(
        person,
        devices=tuple(sorted(devices, **order)),
        orders=tuple(sorted(person.orders, **order)),
        sessions=tuple(sorted(person.sessions, **order)),
        identities=tuple(sorted(person.identities, key=str)),
        events=tuple(events),
    )
