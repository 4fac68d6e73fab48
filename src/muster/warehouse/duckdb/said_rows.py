"""The raw rows that tell of a few customers, in a dozen small queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import duckdb

from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog

# Of a table, for all who are asked about: some twenty milliseconds.
_MOST_ROWS = 2_000
_UP_TO = f"LIMIT {_MOST_ROWS + 1}"

Row = dict[str, Any]
Tables = Mapping[str, Sequence[Row]]
"""Rows by table; a column that says nothing may be left out."""


@dataclass(frozen=True)
class Coming:
    """What items that are about to be stored name: orders and devices that others may have named before."""

    orders: frozenset[str] = frozenset()
    devices: frozenset[int] = frozenset()
    currencies: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SaidRows:
    """All that was said of the customers `asked`, of their orders and of their devices, whoever said it.

    `identified`: who has an external id, of those who are here only because they share something.
    """

    asked: frozenset[int]
    tables: Tables = field(default_factory=dict)
    identified: frozenset[int] = frozenset()
    rates: Sequence[Rate] = ()

    def of(self, table: str) -> Sequence[Row]:
        return self.tables.get(table, ())

    def then(self, rows: Tables, asked: Iterable[int]) -> SaidRows:
        """With what was stored since it was read, of customers of whom some may be new."""
        joined = {name: [*self.of(name), *rows.get(name, ())] for name in _TABLES}
        return SaidRows(self.asked | frozenset(asked), joined, self.identified, self.rates)


def read_rows(
    connection: duckdb.DuckDBPyConnection, keys: Iterable[int], catalog: Catalog, coming: Coming = Coming()
) -> SaidRows | None:
    """None if the facts of one of them rest on more than what was said (on what retention carried on, or on scores), or
    if so much was said that to tell it here would hold up everybody else: then the store derives it."""
    asked = frozenset(keys)
    if not asked and coming == Coming():
        return SaidRows(asked)
    reader = _Reader(connection, asked)
    shared = reader.shared() if asked else _Shared()
    if shared.rests_on_more:
        return None
    tables = reader.of_customers() if asked else {}
    tables |= reader.of_orders(shared.orders | coming.orders)
    tables |= reader.of_devices(shared.devices | coming.devices)
    if any(len(rows) > _MOST_ROWS for rows in tables.values()):
        return None
    sharing = [*tables.get("order_entries", ()), *tables.get("device_sightings", ())]
    others = {row["customer_key"] for row in sharing} - asked - {None}
    currencies = {row["currency"] for row in tables.get("order_entries", ()) if row["currency"]} | coming.currencies
    if tables.get("order_entries") or coming.orders:
        currencies |= {app.default_currency.upper() for app in catalog.apps.values() if app.default_currency}
    return SaidRows(asked, tables, reader.identified(others), reader.rates(currencies - {catalog.currency}))


@dataclass(frozen=True)
class _Shared:
    """What customers name that others may name as well, and whether their facts rest on more than rows."""

    rests_on_more: bool = False
    orders: frozenset[str] = frozenset()
    devices: frozenset[int] = frozenset()


class _Reader:
    def __init__(self, connection: duckdb.DuckDBPyConnection, asked: Iterable[int]) -> None:
        self._connection = connection
        self._mine = f"customer_key IN ({_numbers(asked)})" if asked else "false"

    def shared(self) -> _Shared:
        """In one question: a question that finds nothing costs nearly as much as one that does."""
        more = (f"SELECT 'more' AS kind, NULL, NULL FROM {table}" for table in _MORE)
        asked = " UNION ALL ".join(
            f"{query} WHERE {self._mine}"
            for query in (
                *more,
                "SELECT 'order', order_id, NULL FROM order_entries",
                "SELECT 'device', NULL, device_key FROM device_sightings",
            )
        )
        rows = self._connection.execute(asked).fetchall()
        return _Shared(
            any(kind == "more" for kind, _, _ in rows),
            frozenset(order for kind, order, _ in rows if kind == "order"),
            frozenset(device for kind, _, device in rows if kind == "device"),
        )

    def of_customers(self) -> dict[str, list[Row]]:
        return {
            table: self._rows(f"SELECT {columns} FROM {table} WHERE {self._mine} {_UP_TO}") for table, columns in _PLAIN
        }

    def of_orders(self, ids: Collection[str]) -> dict[str, list[Row]]:
        """Every entry of these orders, whoever named them."""
        if not ids:
            return {}
        entries = self._rows(f"SELECT * FROM order_entries WHERE order_id IN ({_marks(ids)})", sorted(ids))
        hashes = [row["hash"] for row in entries]
        lines = f"SELECT * FROM order_lines WHERE hash IN ({_marks(hashes)}) ORDER BY line"
        return {"order_entries": entries, "order_lines": self._rows(lines, hashes) if hashes else []}

    def of_devices(self, keys: Collection[int]) -> dict[str, list[Row]]:
        """What these devices were seen as, by whomever."""
        if not keys:
            return {}
        seen = f"SELECT * FROM device_sightings WHERE device_key IN ({_numbers(keys)}) {_UP_TO}"
        return {"device_sightings": self._rows(seen)}

    def identified(self, keys: Iterable[int]) -> frozenset[int]:
        asked = _numbers(keys)
        if not asked:
            return frozenset()
        query = f"SELECT customer_key FROM identities WHERE kind = 'external' AND customer_key IN ({asked})"
        return frozenset(key for (key,) in self._connection.execute(query).fetchall())

    def rates(self, currencies: Iterable[str]) -> list[Rate]:
        foreign = sorted(currencies)
        if not foreign:
            return []
        rows = self._rows(f"SELECT * FROM rates WHERE currency IN ({_marks(foreign)})", foreign)
        return [Rate(row["day"], row["currency"], Fraction(row["numerator"], row["denominator"])) for row in rows]

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        found = self._connection.execute(query, list(values))
        columns = [column[0] for column in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


_PLAIN = (
    ("identities", "*"),
    ("sightings", "customer_key, app_key, first_at, last_at"),
    ("traits", "*"),
    ("emails", "*"),
    ("consents", "*"),
    ("all_events", "* REPLACE (CAST(CAST(props AS JSON) AS VARCHAR) AS props)"),
)
_TABLES = (*(table for table, _ in _PLAIN), "order_entries", "order_lines", "device_sightings")
_MORE = ("usage_carry", "churn_scores")


def _numbers(keys: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(keys)))


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
