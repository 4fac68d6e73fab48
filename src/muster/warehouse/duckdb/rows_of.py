"""What a few customers' rows say of what is asked about them, as plain Python: a handful of small queries.

`person.py` reads all there is, for pages; this reads what conditions look at, for the reference engine, thousands of
times an hour.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.occurrences import chosen_events_sql
from muster.warehouse.port import Holding, Needed, Person, PersonEvent

_STANDARD_KEYS = {event.number: key for key, event in STANDARD_EVENTS.items()}
Rows = Mapping[int, list[tuple[Any, ...]]]


def read_few(
    connection: duckdb.DuckDBPyConnection, keys: Sequence[int], needed: Needed, catalog: Catalog
) -> dict[int, Person]:
    """By key; who is no customer (never was, merged, erased) is absent. Custom money stands in micros, as stored."""
    if not keys:
        return {}
    return _FewReader(connection, keys, needed, catalog).people()


class _FewReader:
    def __init__(
        self, connection: duckdb.DuckDBPyConnection, keys: Iterable[int], needed: Needed, catalog: Catalog
    ) -> None:
        self._connection = connection
        self._needed = needed
        self._apps = catalog.app_keys
        self._names = {attribute.column: attribute.key for attribute in catalog.attributes.values()}
        self._event_keys = _STANDARD_KEYS | dict(catalog.event_keys)
        self._mine = _among(keys)

    def people(self) -> dict[int, Person]:
        needed = self._needed
        profiles = self._table("profiles", sorted(needed.profiles))
        facts = self._by_app("app_facts", sorted(needed.app_facts)) if needed.app_facts else {}
        devices = self._by_app("devices", sorted(needed.devices)) if needed.devices else {}
        holdings = self._holdings() if needed.holdings else {}
        events = self._events() if needed.events else {}
        return {
            key: Person(
                customer_key=key,
                profile=rows[0],
                app_facts={str(row.pop("app")): row for row in facts.get(key, ())},
                holdings=tuple(holdings.get(key, ())),
                devices=tuple(devices.get(key, ())),
                events=tuple(sorted(events.get(key, ()), key=_when)),
            )
            for key, rows in profiles.items()
        }

    def _table(self, relation: str, columns: Sequence[str]) -> dict[int, list[dict[str, Any]]]:
        names = [self._names.get(column, column) for column in columns]
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for key, *values in self._rows(f"SELECT {', '.join(['customer_key', *columns])} FROM {relation}"):
            found[key].append({name: _aware(value) for name, value in zip(names, values, strict=True)})
        return found

    def _by_app(self, relation: str, columns: Sequence[str]) -> dict[int, list[dict[str, Any]]]:
        found = self._table(relation, ["app_key", *columns])
        for rows in found.values():
            for row in rows:
                row["app"] = self._app(row.pop("app_key"))
        return found

    def _holdings(self) -> dict[int, list[Holding]]:
        found: dict[int, list[Holding]] = defaultdict(list)
        for key, app, addon, expires_at in self._rows("SELECT customer_key, app_key, addon, expires_at FROM holdings"):
            found[key].append(Holding(self._app(app), addon, _aware(expires_at)))
        return found

    def _events(self) -> dict[int, list[PersonEvent]]:
        chosen = {
            told: [one for one, wanted in self._needed.events.items() if wanted == told] for told in (False, True)
        }
        asked = " UNION ALL ".join(
            chosen_events_sql(self._mine, numbers, with_properties=told) for told, numbers in chosen.items() if numbers
        )
        found: dict[int, list[PersonEvent]] = defaultdict(list)
        for key, app, event, happened_at, props in self._connection.execute(asked).fetchall():
            name = self._event_keys.get(event, str(event))
            found[key].append(PersonEvent(self._app(app), name, _aware(happened_at), _properties(props)))
        return found

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(f"{sql} WHERE {self._mine}").fetchall())

    def _app(self, number: int) -> str:
        return self._apps.get(number, str(number))


def _among(keys: Iterable[int]) -> str:
    """With the range they lie in: of many keys the store looks for no shorter way by itself."""
    ordered = sorted(int(key) for key in keys)
    among = f"customer_key IN ({', '.join(map(str, ordered))})"
    return among if len(ordered) == 1 else f"{among} AND customer_key BETWEEN {ordered[0]} AND {ordered[-1]}"


def _properties(told: str | None) -> dict[str, Any]:
    """Properties that are null are not there."""
    return {name: value for name, value in json.loads(told).items() if value is not None} if told else {}


def _when(event: PersonEvent) -> datetime:
    return event.happened_at


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
