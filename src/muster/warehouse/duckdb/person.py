"""Everything some customers' rows say, as plain Python; a hundred of them at the cost of one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Type
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.occurrences import person_events_sql
from muster.warehouse.port import Holding, Person, PersonEvent
from muster.warehouse.relations import ASKABLE

Row = dict[str, Any]
RowsOf = Mapping[int, list[Row]]


def read_people(
    connection: duckdb.DuckDBPyConnection, keys: Iterable[int], catalog: Catalog, *, events: bool = True
) -> dict[int, Person]:
    """By key; who is no customer (never was, merged, erased) is absent. Without `events` theirs are not read."""
    reader = _PeopleReader(connection, keys, catalog)
    return reader.people(with_events=events) if reader.condition else {}


class _PeopleReader:
    """One query a relation, for all the customers together."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, keys: Iterable[int], catalog: Catalog) -> None:
        self._connection = connection
        self._catalog = catalog
        listed = ", ".join(str(int(key)) for key in keys)
        self.condition = f"customer_key IN ({listed})" if listed else ""
        self._customs = {attribute.column: attribute for attribute in catalog.attributes.values()}
        self._event_keys = {event.number: key for key, event in STANDARD_EVENTS.items()} | dict(catalog.event_keys)

    def people(self, *, with_events: bool) -> dict[int, Person]:
        profiles = self._rows("SELECT * FROM profiles WHERE {mine}")
        facts = self._rows("SELECT * FROM app_facts WHERE {mine} ORDER BY app_key")
        holdings = self._relation("holdings", "app_key, addon")
        devices = self._relation("devices", "app_key, device_key")
        orders = self._relation("orders", "happened_at, app_key, order_id")
        sessions = self._relation("sessions", "started_at, app_key, device_key")
        asked = person_events_sql("{mine}") + " ORDER BY happened_at, event, place"
        events = self._rows(asked) if with_events else defaultdict(list)
        identities = self._rows("SELECT * FROM identities WHERE {mine} ORDER BY kind DESC, app_key, text")
        emails = self._rows(_EMAILS)
        birthdays = self._birthdays()
        return {
            key: Person(
                customer_key=key,
                profile=self._attributes(rows[0]),
                app_facts={self._app(row): self._attributes(row) for row in facts[key]},
                holdings=tuple(Holding(self._app(row), row["addon"], row["expires_at"]) for row in holdings[key]),
                devices=self._plain(devices[key]),
                orders=self._plain(orders[key]),
                sessions=self._plain(sessions[key]),
                events=tuple(self._event(row) for row in events[key]),
                identities=tuple(self._identity(row) for row in identities[key]),
                emails=tuple(_without_keys(row) for row in emails[key]),
                birthday=birthdays.get(key),
            )
            for key, rows in sorted(profiles.items())
        }

    def _relation(self, name: str, order: str) -> RowsOf:
        return self._rows(f"SELECT {', '.join(ASKABLE[name])} FROM {name} WHERE {{mine}} ORDER BY {order}")

    def _rows(self, sql: str) -> RowsOf:
        """The rows by customer, in the query's order; instants aware."""
        found = self._connection.execute(sql.replace("{mine}", self.condition))
        names = [column[0] for column in found.description]
        grouped: dict[int, list[Row]] = defaultdict(list)
        for values in found.fetchall():
            row = {name: _aware(value) for name, value in zip(names, values, strict=True)}
            grouped[row["customer_key"]].append(row)
        return grouped

    def _app(self, row: Row) -> str:
        return self._catalog.app_keys.get(row["app_key"], str(row["app_key"]))

    def _plain(self, rows: list[Row]) -> tuple[Row, ...]:
        return tuple({"app": self._app(row), **_without_keys(row)} for row in rows)

    def _attributes(self, row: Row) -> Row:
        """Custom columns under their attribute's key; those the catalog no longer has are left out."""
        values: Row = {}
        for name, value in _without_keys(row).items():
            if not name.startswith("c_"):
                values[name] = value
            elif attribute := self._customs.get(name):
                is_money = attribute.type is Type.MONEY and value is not None
                values[attribute.key] = Decimal(value).scaleb(-6) if is_money else value
        return values

    def _event(self, row: Row) -> PersonEvent:
        sent = json.loads(row["props"]) if row["props"] else {}
        properties = {name: value for name, value in sent.items() if value is not None}
        key = self._event_keys.get(row["event"], str(row["event"]))
        return PersonEvent(self._app(row), key, row["happened_at"], properties)

    def _identity(self, row: Row) -> tuple[str, str | None, str]:
        return row["kind"], self._app(row) if row["app_key"] else None, row["text"]

    def _birthdays(self) -> Mapping[int, date | None]:
        trusted = int(self._catalog.standard_accept_from.get("birthday", 0))
        rows = self._rows(_BIRTHDAYS.replace("{trusted}", str(trusted)))
        return {key: mine[0]["day"] for key, mine in rows.items()}


_BIRTHDAYS = """
SELECT customer_key, try_cast(CAST(value AS JSON)->>'$' AS DATE) AS day FROM traits
WHERE attribute = 'birthday' AND trust >= {trusted} AND {mine}
QUALIFY row_number() OVER (PARTITION BY customer_key ORDER BY happened_at DESC, hash DESC, value DESC) = 1
"""

# Newest first, the first is the current one. An address once verified stays so (C-10).
_EMAILS = """
SELECT customer_key, max_by(address, row(happened_at, hash, address)) AS address, normal, bool_or(verified) AS verified,
    min(happened_at) AS since, max(row(happened_at, hash, normal)) AS newest
FROM emails WHERE {mine} GROUP BY customer_key, normal ORDER BY newest DESC
"""


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _without_keys(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("customer_key", "app_key", "newest")}
