"""What is read of each row, by kind of import: typed columns with the reason where one cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from muster.warehouse.duckdb.intake import placeholder
from muster.warehouse.duckdb.properties import literal
from muster.warehouse.files import fields
from muster.warehouse.files.fields import LONGEST_ID, Reading
from muster.warehouse.files.mapping import Field, ImportMapping

# Column of the stage -> SQL type; a column that the mapping does not name is null.
COLUMNS: dict[str, dict[str, str]] = {
    "customers": {"external_id": "VARCHAR", "anonymous_id": "VARCHAR", "email": "VARCHAR", "happened_at": "TIMESTAMP",
                  "traits": "VARCHAR[]"},
    "orders": {"external_id": "VARCHAR", "anonymous_id": "VARCHAR", "order_id": "VARCHAR", "happened_at": "TIMESTAMP",
               "amount_micros": "BIGINT", "currency": "VARCHAR", "coupon": "VARCHAR", "market": "VARCHAR",
               "group_key": "VARCHAR", "product_id": "VARCHAR", "category": "VARCHAR", "name": "VARCHAR",
               "price_micros": "BIGINT", "quantity": "DECIMAL(18, 6)"},
    "events": {"external_id": "VARCHAR", "anonymous_id": "VARCHAR", "happened_at": "TIMESTAMP", "event": "VARCHAR",
               "message_id": "VARCHAR", "properties": "VARCHAR[]", "device_id": "VARCHAR", "device_family": "VARCHAR",
               "os": "VARCHAR", "os_version": "VARCHAR", "app_version": "VARCHAR", "device_model": "VARCHAR"},
    "consents": {"external_id": "VARCHAR", "purpose": "VARCHAR", "channel": "VARCHAR", "granted": "BOOLEAN",
                 "text_version": "VARCHAR", "happened_at": "TIMESTAMP"},
    "rates": {"day": "DATE", "currency": "VARCHAR", "rate": "DECIMAL(18, 6)"},
}  # fmt: skip  # a table, read by rows

_REQUIRED = {
    "customers": {"external_id"},
    "orders": {"external_id", "happened_at", "group_key"},
    "events": {"event", "happened_at"},
    "consents": {"external_id", "purpose", "granted"},
    "rates": {"day", "currency", "rate"},
}
_INSTANTS = ("happened_at",)
_DECIMALS = {"amount_micros": "amount", "price_micros": "price"}


@dataclass(frozen=True)
class Column:
    """`name` in the stage; `fields` of the mapping that it reads, for messages; the SQL that reads it."""

    name: str
    reading: Reading
    cell: str
    shown: str


def columns_of(mapping: ImportMapping, cells: dict[str, str]) -> list[Column]:
    """The columns of the mapping's kind that it names. `cells`: SQL column by the file's column."""
    found = []
    for name in COLUMNS[mapping.kind]:
        if name in ("traits", "properties"):
            found += _pairs(name, getattr(mapping, name), mapping.nulls, cells)
            continue
        one = _field_of(mapping, name)
        if one is not None:
            found.append(
                Column(
                    name,
                    _reading(mapping, name, one, cells),
                    fields.cell(one, mapping.nulls, cells),
                    one.column or name,
                )
            )
    if identity := _identity(mapping, cells):
        found.append(identity)
    return found


def _identity(mapping: ImportMapping, cells: dict[str, str]) -> Column | None:
    """Adds no value: a row whose every id is missing or a placeholder (C-8) is nobody's."""
    ids = [one for name in ("external_id", "anonymous_id") if (one := mapping.fields.get(name)) is not None]
    if not ids:
        return None
    texts = [fields.cell(one, mapping.nulls, cells) for one in ids]
    unusable = " AND ".join(f"({text} IS NULL OR {placeholder(text)})" for text in texts)
    given = f"coalesce({', '.join(texts)})"
    fault = f"CASE WHEN {unusable} THEN CASE WHEN {given} IS NULL THEN 'missing' ELSE 'identity_placeholder' END END"
    return Column("identity", Reading("NULL", lambda _value, _cell: fault), given, ids[0].column or "external_id")


def _field_of(mapping: ImportMapping, name: str) -> Field | None:
    named = _DECIMALS.get(name, name)
    if name == "group_key":
        return mapping.lines.get("group_by")
    if name in ("product_id", "category", "name", "price_micros", "quantity"):
        return mapping.lines.get(named)
    return mapping.fields.get(named)


def _reading(mapping: ImportMapping, name: str, one: Field, cells: dict[str, str]) -> Reading:
    nulls = mapping.nulls
    required = name in _REQUIRED[mapping.kind]
    if name in _INSTANTS:
        return fields.instant(one, nulls, cells, required=required)
    if name == "day":
        return fields.day(one, nulls, cells, required=True)
    if name in _DECIMALS:
        reading = fields.decimal(one, nulls, cells, required=required)
        return Reading(fields.micros(reading), reading.fault)
    if name == "quantity":
        return fields.decimal(one, nulls, cells, required=required)
    if name == "rate":
        rate = fields.decimal(one, nulls, cells, required=True)
        return Reading(
            rate.value,
            lambda value, cell: f"coalesce({rate.fault(value, cell)}, CASE WHEN {value} <= 0 THEN 'not_positive' END)",
        )
    if name == "granted":
        return fields.boolean(one, nulls, cells, required=True)
    longest = LONGEST_ID if name.endswith("_id") or name == "group_key" else 1_024
    reading = fields.text(one, nulls, cells, longest=longest, required=required)
    return Reading(f"upper(trim({reading.value}))", reading.fault) if name == "currency" else reading


def _pairs(part: str, named: dict[str, Field], nulls: tuple[str, ...], cells: dict[str, str]) -> list[Column]:
    """One column a key; the stage joins them to one list of `key`, `value` texts."""
    return [
        Column(f"{part}:{key}", fields.json_value(one, nulls, cells), fields.cell(one, nulls, cells), one.column or key)
        for key, one in named.items()
    ]


def select_parsed(mapping: ImportMapping, source: str, cells: dict[str, str]) -> str:
    """SELECT of every stage column of the kind, and `bad_column`, `bad_reason`, `bad_value` of the first fault."""
    columns = columns_of(mapping, cells)
    # Values in the innermost query and faults around it: what is asked of a column is not read once more.
    values = [f"{column.reading.value} AS v{index}, {column.cell} AS c{index}" for index, column in enumerate(columns)]
    faults = [f"{column.reading.fault(f'v{index}', f'c{index}')} AS e{index}" for index, column in enumerate(columns)]
    plain = {column.name: f"v{index}" for index, column in enumerate(columns)}
    outer = ["row_number"]
    for name, kind in COLUMNS[mapping.kind].items():
        outer.append(f"CAST({_outer(name, columns, plain)} AS {kind}) AS {name}")
    first = "CASE " + " ".join(f"WHEN e{i} IS NOT NULL THEN {{}}" for i in range(len(columns))) + " END"
    outer.append(first.format(*(literal(column.shown) for column in columns)) + " AS bad_column")
    outer.append("coalesce(" + ", ".join(f"e{i}" for i in range(len(columns))) + ") AS bad_reason")
    outer.append(first.format(*(f"c{i}" for i in range(len(columns)))) + " AS bad_value")
    read = f"SELECT *, {', '.join(values)} FROM {source}"
    return f"SELECT {', '.join(outer)} FROM (SELECT *, {', '.join(faults)} FROM ({read}))"


def _outer(name: str, columns: list[Column], plain: dict[str, str]) -> str:
    if name in plain:
        return plain[name]
    pairs = [
        f"{literal(column.name.partition(':')[2])}, v{index}"
        for index, column in enumerate(columns)
        if column.name.startswith(f"{name}:")
    ]
    return f"[{', '.join(pairs)}]" if pairs else "NULL"
