"""Occurrences of an event as one relation: the stored rows, and those read off orders, order lines and sessions."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Type
from muster.warehouse.duckdb.properties import SQL_TYPES, Column, column_as, micros, property_as
from muster.warehouse.port import PropertyColumn

_IBIS_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "float64",
    "DECIMAL(38, 6)": "decimal(38, 6)",
    "BOOLEAN": "boolean",
    "TIMESTAMP": "timestamp(6)",
    "DATE": "date",
    "VARCHAR[]": "array<string>",
}


@dataclass(frozen=True)
class _Derived:
    """Where an event's derived occurrences stand: FROM clause (with condition) and the columns of its properties."""

    source: str
    columns: Mapping[str, Column]
    happened_at: str = "happened_at"


def _text(sql: str) -> Column:
    return Column(sql, Type.TEXT)


_ENTRY_COLUMNS = {
    "order_id": _text("e.order_id"),
    "total": micros("e.amount_micros"),
    "currency": _text("e.currency"),
    "coupon": _text("e.coupon"),
}


def _entries(kind: str) -> _Derived:
    source = (
        "(SELECT o.customer_key, e.app_key, e.happened_at, e.order_id, e.amount_micros, e.currency, e.coupon"
        " FROM order_entries e JOIN all_orders o ON o.app_key = e.app_key AND o.order_id = e.order_id"
        f" WHERE e.kind = '{kind}') e"
    )
    return _Derived(source, _ENTRY_COLUMNS)


_DERIVED = {
    "order_completed": _Derived(
        # A credit note (negative amount) takes money back: it is no purchase (C-25).
        "all_orders WHERE state = 'completed' AND coalesce(amount_micros, 0) >= 0",
        {
            "order_id": _text("order_id"),
            "total": micros("amount_micros"),
            "currency": _text("currency"),
            "coupon": _text("coupon"),
        },
    ),
    "order_updated": _entries("updated"),
    "order_cancelled": _entries("cancelled"),
    "order_refunded": _entries("refunded"),
    "product_purchased": _Derived(
        "purchases",
        {
            "order_id": _text("order_id"),
            "product_id": _text("product_id"),
            "category": _text("category"),
            "name": _text("name"),
            "price": micros("price_micros"),
            "quantity": Column("CAST(quantity AS DECIMAL(38, 6))", Type.NUMBER),
        },
    ),
    "app_acquired": _Derived(
        "acquisitions WHERE addon IS NULL AND NOT explicit",
        {"acquisition_type": _text("acquisition_type"), "order_name": _text("order_id")},
    ),
    "addon_acquired": _Derived(
        "acquisitions WHERE addon IS NOT NULL AND NOT explicit",
        {"addon": _text("addon"), "order_id": _text("order_id")},
    ),
    "session": _Derived(
        "all_sessions",
        {
            "session_id": _text("session_id"),
            "started_at": Column("started_at", Type.TIMESTAMP),
            "ended_at": Column("ended_at", Type.TIMESTAMP),
            "engaged_seconds": Column("CAST(engaged_seconds AS DECIMAL(38, 6))", Type.NUMBER),
        },
        happened_at="started_at",
    ),
}
_DERIVED_BY_NUMBER = {STANDARD_EVENTS[key].number: derived for key, derived in _DERIVED.items()}
_SESSION = STANDARD_EVENTS["session"].number


class Occurrences:
    """Remembers what each generated table name stands for, so that a reader can define it in front of a query."""

    def __init__(self) -> None:
        # Names are made from the content, so this grows with the distinct questions, not with their repetitions.
        self._definitions: dict[str, str] = {}

    def table(self, event: int, columns: Sequence[PropertyColumn]) -> ir.Table:
        """Unbound table: customer_key, app_key, happened_at and the columns."""
        definition = occurrences_sql(event, columns)
        name = "occurrences_" + hashlib.blake2b(definition.encode(), digest_size=10).hexdigest()
        self._definitions[name] = definition
        schema = {"customer_key": "uint32", "app_key": "uint16", "happened_at": "timestamp(6)"}
        schema |= {column.name: _IBIS_TYPES[SQL_TYPES[column.type]] for column in columns}
        return ibis.table(schema, name=name)

    def compile(self, rows: ir.Table) -> str:
        """SQL of the expression, with the occurrence relations it uses defined in front."""
        sql: str = ibis.to_sql(rows, dialect="duckdb")
        names = sorted({node.name for node in rows.op().find(ops.UnboundTable) if node.name in self._definitions})
        if not names:
            return sql
        # Materialised, a relation used twice would read all properties of all time before any filter.
        front = ", ".join(f'"{name}" AS NOT MATERIALIZED ({self._definitions[name]})' for name in names)
        return f"WITH {front}, {sql[5:]}" if sql.startswith("WITH ") else f"WITH {front} {sql}"


def occurrences_sql(event: int, columns: Sequence[PropertyColumn]) -> str:
    """SELECT with customer_key, app_key, happened_at and each column, of every occurrence of the event."""
    derived = _DERIVED_BY_NUMBER.get(event)
    stored = _select("all_events", "happened_at", {c.name: property_as(c.path, c.type) for c in columns})
    stored += f" WHERE event = {int(event)}"
    if derived is None:
        return stored
    values = {c.name: column_as(derived.columns.get(c.path), c.type) for c in columns}
    computed = _select(derived.source, derived.happened_at, values)
    # Reported sessions are in `sessions` already.
    return computed if event == _SESSION else f"{computed} UNION ALL {stored}"


def person_events_sql(mine: str) -> str:
    """Every occurrence where the condition holds: customer_key, app_key, event, happened_at, props (JSON text) and
    `place`, which orders those of one instant."""
    stored = (
        "SELECT customer_key, app_key, event, happened_at, CAST(CAST(props AS JSON) AS VARCHAR) AS props,"
        f" CAST(hash AS VARCHAR) AS place FROM all_events WHERE {mine} AND event <> {_SESSION}"
    )
    queries = [stored]
    for number, derived in _DERIVED_BY_NUMBER.items():
        pairs = ", ".join(f"'{name}', {_json_value(column)}" for name, column in derived.columns.items())
        queries.append(
            f"SELECT customer_key, app_key, {number} AS event, {derived.happened_at} AS happened_at,"
            f" CAST(json_object({pairs}) AS VARCHAR) AS props, CAST(json_object({pairs}) AS VARCHAR) AS place"
            f" FROM (SELECT * FROM {derived.source}) e WHERE {mine}"
        )
    return " UNION ALL ".join(queries)


def chosen_events_sql(mine: str, events: Collection[int], *, with_properties: bool) -> str:
    """Occurrences of these events where the condition holds: customer_key, app_key, event, happened_at, props (JSON
    text, null if they are not wanted: to read them costs more than all the rest)."""
    stored = sorted(set(events) - {_SESSION})
    queries = []
    if stored:
        props = "CAST(CAST(props AS JSON) AS VARCHAR)" if with_properties else "NULL"
        queries.append(
            f"SELECT customer_key, app_key, event, happened_at, {props} AS props FROM all_events"
            f" WHERE {mine} AND event IN ({', '.join(map(str, stored))})"
        )
    for number in sorted(set(events) & set(_DERIVED_BY_NUMBER)):
        derived = _DERIVED_BY_NUMBER[number]
        pairs = ", ".join(f"'{name}', {_json_value(column)}" for name, column in derived.columns.items())
        props = f"CAST(json_object({pairs}) AS VARCHAR)" if with_properties else "NULL"
        queries.append(
            f"SELECT customer_key, app_key, {number}, {derived.happened_at}, {props}"
            f" FROM (SELECT * FROM {derived.source}) e WHERE {mine}"
        )
    return " UNION ALL ".join(queries)


def _json_value(column: Column) -> str:
    if column.kind is Type.TIMESTAMP:
        return f"strftime({column.sql}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"CAST({column.sql} AS DOUBLE)" if column.kind is Type.NUMBER else column.sql


def _select(source: str, happened_at: str, values: Mapping[str, str]) -> str:
    quoted = "".join(f", {sql} AS {_identifier(name)}" for name, sql in values.items())
    return f"SELECT customer_key, app_key, {happened_at} AS happened_at{quoted} FROM {source}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
