"""Reads all that was said of a few customers, in half a dozen small queries (see `warehouse.said`)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb

from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog, Trust
from muster.warehouse.items import Consent, Device, Email, Item, Line, Occurrence, OrderEntry
from muster.warehouse.said import Said, Told

Row = dict[str, Any]
_FIRST = bytes(16)
"""Stands before every hash: of an instant at which nothing else is known to have been said."""


def read_said(connection: duckdb.DuckDBPyConnection, keys: Iterable[int], catalog: Catalog) -> Said | None:
    """None if the facts of one of them rest on more than what was said: on what retention carried on, or on scores."""
    asked = sorted(set(keys))
    if not asked:
        return Said({})
    reader = _Reader(connection, asked)
    return None if reader.rests_on_more() else reader.said(catalog)


class _Reader:
    def __init__(self, connection: duckdb.DuckDBPyConnection, asked: Sequence[int]) -> None:
        self._connection = connection
        self._asked = frozenset(asked)
        self._mine = f"customer_key IN ({', '.join(map(str, asked))})"
        self._items: dict[int, dict[bytes, Item]] = defaultdict(dict)
        self._seen: dict[int, list[Item]] = defaultdict(list)
        self._orphans: list[Item] = []

    def rests_on_more(self) -> bool:
        query = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE {self._mine}" for table in _MORE)
        return bool(self._connection.execute(query).fetchall())

    def said(self, catalog: Catalog) -> Said:
        names, subjects = self._names()
        self._sightings()
        self._traits()
        self._emails()
        self._consents()
        self._events()
        currencies = self._orders()
        sharing = self._devices()
        others = sorted((self._items.keys() | sharing) - self._asked)
        identified = self._identified(others)
        people = {
            key: Told(key, subjects.get(key, ""), frozenset(names[key]), self._of(key))
            for key in self._asked & names.keys()
        }
        for key in others:
            known = frozenset({("external", 0, "")}) if key in identified else frozenset[tuple[str, int, str]]()
            people[key] = Told(key, "", known, self._of(key), of_others=True)
        return Said(people, self._orphans, self._rates(currencies, catalog))

    def _of(self, key: int) -> list[Item]:
        return [*self._items.get(key, {}).values(), *self._seen.get(key, ())]

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        found = self._connection.execute(query.replace("{mine}", self._mine), list(values))
        columns = [column[0] for column in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

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
        for row in self._rows("SELECT * FROM identities WHERE {mine}"):
            key = row["customer_key"]
            names[key].add((row["kind"], row["app_key"], row["text"]))
            if row["subject_of"] == key and not subjects.get(key, "").startswith("c:"):
                subjects[key] = ("c:" if row["kind"] == "external" else "a:") + row["text"]
        return names, subjects

    def _sightings(self) -> None:
        for row in self._rows("SELECT customer_key, app_key, first_at, last_at FROM sightings WHERE {mine}"):
            for instant in {row["first_at"], row["last_at"]}:
                self._seen[row["customer_key"]].append(Item(_FIRST, _aware(instant), app=row["app_key"]))

    def _traits(self) -> None:
        for row in self._rows("SELECT * FROM traits WHERE {mine}"):
            told = self._part(row, "traits") or {}
            self._say(row, traits={**told, row["attribute"]: json.loads(row["value"])})

    def _emails(self) -> None:
        for row in self._rows("SELECT * FROM emails WHERE {mine}"):
            told = self._part(row, "emails") or ()
            self._say(row, emails=(*told, Email(row["address"], row["verified"])))

    def _consents(self) -> None:
        for row in self._rows("SELECT * FROM consents WHERE {mine}"):
            told = self._part(row, "consents") or ()
            consent = Consent(row["purpose"], row["granted"], row["channel"], row["text_version"])
            self._say(row, consents=(*told, consent))

    def _events(self) -> None:
        query = "SELECT * REPLACE (CAST(CAST(props AS JSON) AS VARCHAR) AS props) FROM all_events WHERE {mine}"
        for row in self._rows(query):
            props = json.loads(row["props"]) if row["props"] else {}
            event = Occurrence(row["event"], {} if props is None else props, row["active"])
            device = None if row["device_key"] is None else Device(str(row["device_key"]))
            self._say(row, event=event, device=device, app=row["app_key"])

    def _orders(self) -> set[str]:
        """Every entry of every order that one of theirs names; answers the currencies of their orders."""
        mine = self._rows("SELECT DISTINCT order_id FROM order_entries WHERE {mine}")
        if not mine:
            return set()
        ids = [row["order_id"] for row in mine]
        entries = self._rows(f"SELECT * FROM order_entries WHERE order_id IN ({_marks(ids)})", ids)
        hashes = [row["hash"] for row in entries]
        lines = defaultdict(list)
        for row in self._rows(f"SELECT * FROM order_lines WHERE hash IN ({_marks(hashes)}) ORDER BY line", hashes):
            lines[row["hash"]].append(_line(row))
        for row in entries:
            order = _order(row, lines[row["hash"]])
            if row["customer_key"] is None:
                at, trust = _aware(row["happened_at"]), Trust(row["trust"])
                self._orphans.append(Item(row["hash"].bytes, at, row["app_key"], trust=trust, order=order))
            else:
                self._say(row, order=order, app=row["app_key"])
        return {row["currency"] for row in entries if row["currency"]}

    def _devices(self) -> set[int]:
        """What every device of theirs was seen as, by whomever; answers who saw them."""
        devices = "SELECT device_key FROM device_sightings WHERE {mine}"
        seen_by: set[int] = set()
        for row in self._rows(f"SELECT * FROM device_sightings WHERE device_key IN ({devices})"):
            key, app, name = row["customer_key"], row["app_key"], str(row["device_key"])
            described = Device(name, **{column: row[column] for column in _DESCRIPTION})
            seen = self._seen[key]
            seen.append(Item(row["hash"].bytes, _aware(row["happened_at"]), app, device=described))
            seen.append(Item(_FIRST, _aware(row["first_at"]), app, device=Device(name)))
            seen_by.add(key)
        return seen_by

    def _identified(self, keys: Sequence[int]) -> set[int]:
        if not keys:
            return set()
        query = (
            f"SELECT DISTINCT customer_key FROM identities WHERE kind = 'external' AND customer_key IN ({_marks(keys)})"
        )
        return {row["customer_key"] for row in self._rows(query, keys)}

    def _rates(self, currencies: set[str], catalog: Catalog) -> list[Rate]:
        defaults = {app.default_currency.upper() for app in catalog.apps.values() if app.default_currency}
        foreign = sorted((currencies | (defaults if self._has_orders else set())) - {catalog.currency})
        if not foreign:
            return []
        rows = self._rows(f"SELECT * FROM rates WHERE currency IN ({_marks(foreign)})", foreign)
        return [Rate(row["day"], row["currency"], Fraction(row["numerator"], row["denominator"])) for row in rows]

    @property
    def _has_orders(self) -> bool:
        return any(item.order for items in self._items.values() for item in items.values())


_MORE = ("usage_carry", "churn_scores")
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


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
