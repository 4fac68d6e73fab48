"""Tells all that was said of a few customers from its raw rows (see `warehouse.said`)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb

from muster.warehouse.catalog import Catalog, Trust
from muster.warehouse.duckdb.said_rows import Row, SaidRows, read_rows
from muster.warehouse.items import Consent, Device, Email, Item, Line, Occurrence, OrderEntry
from muster.warehouse.said import Said, Told

_FIRST = bytes(16)
"""Stands before every hash: of an instant at which nothing else is known to have been said."""


def read_said(connection: duckdb.DuckDBPyConnection, keys: Iterable[int], catalog: Catalog) -> Said | None:
    """None if the facts of one of them rest on more than what was said: on what retention carried on, or on scores."""
    rows = read_rows(connection, keys, catalog)
    return None if rows is None else said_in(rows)


def said_in(rows: SaidRows) -> Said:
    """What these rows say."""
    return _Teller(rows).said()


class _Teller:
    def __init__(self, rows: SaidRows) -> None:
        self._rows = rows
        self._items: dict[int, dict[bytes, Item]] = defaultdict(dict)
        self._seen: dict[int, list[Item]] = defaultdict(list)
        self._orphans: list[Item] = []

    def said(self) -> Said:
        names, subjects = self._names()
        self._sightings()
        self._traits()
        self._emails()
        self._consents()
        self._events()
        self._orders()
        self._devices()
        asked = self._rows.asked
        people = {
            key: Told(key, subjects.get(key, ""), frozenset(names[key]), self._of(key)) for key in asked & names.keys()
        }
        for key in sorted((self._items.keys() | self._seen.keys()) - asked):
            is_known = key in self._rows.identified
            known = frozenset({("external", 0, "")}) if is_known else frozenset[tuple[str, int, str]]()
            people[key] = Told(key, "", known, self._of(key), of_others=True)
        return Said(people, self._orphans, self._rows.rates)

    def _of(self, key: int) -> list[Item]:
        return [*self._items.get(key, {}).values(), *self._seen.get(key, ())]

    def _say(self, row: Row, **said: Any) -> None:
        """Another part of the item of this hash."""
        items = self._items[row["customer_key"]]
        identity = row["hash"].bytes
        item = items.get(identity)
        if item is None:
            item = Item(
                hash=identity,
                happened_at=_aware(row["happened_at"]),
                app=row.get("app_key") or 0,
                trust=Trust(row["trust"]),
                source=row["source"],
            )
        items[identity] = replace(item, **said)

    def _part(self, row: Row, name: str) -> Any:
        item = self._items[row["customer_key"]].get(row["hash"].bytes)
        return getattr(item, name) if item is not None else None

    def _names(self) -> tuple[dict[int, set[tuple[str, int, str]]], dict[int, str]]:
        names: dict[int, set[tuple[str, int, str]]] = defaultdict(set)
        subjects: dict[int, str] = {}
        for row in self._rows.of("identities"):
            key = row["customer_key"]
            names[key].add((row["kind"], row["app_key"], row["text"]))
            if row["subject_of"] == key and not subjects.get(key, "").startswith("c:"):
                subjects[key] = ("c:" if row["kind"] == "external" else "a:") + row["text"]
        return names, subjects

    def _sightings(self) -> None:
        for row in self._rows.of("sightings"):
            for instant in {row["first_at"], row["last_at"]}:
                self._seen[row["customer_key"]].append(Item(_FIRST, _aware(instant), app=row["app_key"]))

    def _traits(self) -> None:
        for row in self._rows.of("traits"):
            told = self._part(row, "traits") or {}
            self._say(row, traits={**told, row["attribute"]: json.loads(row["value"])})

    def _emails(self) -> None:
        for row in self._rows.of("emails"):
            told = self._part(row, "emails") or ()
            self._say(row, emails=(*told, Email(row["address"], row["verified"])))

    def _consents(self) -> None:
        for row in self._rows.of("consents"):
            told = self._part(row, "consents") or ()
            consent = Consent(row["purpose"], row["granted"], row["channel"], row["text_version"])
            self._say(row, consents=(*told, consent))

    def _events(self) -> None:
        for row in self._rows.of("all_events"):
            props = json.loads(row["props"]) if row["props"] else {}
            event = Occurrence(row["event"], {} if props is None else props, row["active"])
            device = None if row["device_key"] is None else Device(str(row["device_key"]))
            self._say(row, event=event, device=device, app=row["app_key"])

    def _orders(self) -> None:
        lines = defaultdict(list)
        for row in self._rows.of("order_lines"):
            lines[row["hash"]].append(_line(row))
        for row in self._rows.of("order_entries"):
            order = _order(row, lines[row["hash"]])
            if row["customer_key"] is None:
                at, trust = _aware(row["happened_at"]), Trust(row["trust"])
                self._orphans.append(Item(row["hash"].bytes, at, row["app_key"], trust=trust, order=order))
            else:
                self._say(row, order=order, app=row["app_key"])

    def _devices(self) -> None:
        for row in self._rows.of("device_sightings"):
            app, name = row["app_key"], str(row["device_key"])
            described = Device(name, **{column: row[column] for column in _DESCRIPTION})
            seen = self._seen[row["customer_key"]]
            seen.append(Item(row["hash"].bytes, _aware(row["happened_at"]), app, device=described))
            seen.append(Item(_FIRST, _aware(row["first_at"]), app, device=Device(name)))


_DESCRIPTION = ("device_family", "os", "os_version", "app_version", "device_model", "locale", "time_zone")


def _order(row: Mapping[str, Any], lines: list[Line]) -> OrderEntry:
    return OrderEntry(
        kind=row["kind"],
        order_id=row["order_id"],
        placed_at=_aware(row["placed_at"]) if row["placed_at"] is not None else None,
        amount_micros=row["amount_micros"],
        currency=row["currency"],
        coupon=row["coupon"],
        market=row["market"],
        lines=tuple(lines),
    )


def _line(row: Mapping[str, Any]) -> Line:
    quantity = Decimal(row["quantity"]) if row["quantity"] is not None else None
    return Line(row["product_id"], row["category"], row["name"], row["price_micros"], quantity)


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)
