"""Which column of a file means what: the mapping of an import, checked when it is read (C-35)."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from muster.kernel.civil import time_zones
from muster.kernel.text import key_of
from muster.kernel.worded import worded
from muster.rules.vocabulary import Type
from muster.warehouse.files.errors import ColumnUnknown, MappingInvalid
from muster.warehouse.files.reading import Source
from muster.warehouse.normal.traits import STANDARD_TRAITS

KINDS = ("customers", "orders", "events", "consents", "rates")
FORMATS = ("csv", "ndjson", "parquet")
TRAIT_TYPES = (Type.TEXT, Type.NUMBER, Type.BOOLEAN, Type.DATE, Type.TIMESTAMP, Type.CATEGORY, Type.VERSION)


@dataclass(frozen=True)
class Field:
    """Where one value comes from: a column, or a `value` that is the same for every row.

    `format`: strptime format of a date. `zone`: of dates without an offset. `decimal`: the decimal sign. `strip`:
    characters taken out of numbers, white space among them.
    """

    column: str | None = None
    value: str | None = None
    format: str | None = None
    zone: str = "UTC"
    decimal: str = "."
    strip: str = ""
    type: Type | None = None


@dataclass(frozen=True)
class ImportMapping:
    """`fields` by the name the kind knows them by; `traits` and `properties` by key; `lines` of an order."""

    kind: str
    source: Source
    app: str | None
    nulls: tuple[str, ...]
    fields: Mapping[str, Field]
    traits: Mapping[str, Field] = field(default_factory=dict)
    properties: Mapping[str, Field] = field(default_factory=dict)
    lines: Mapping[str, Field] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    def all_fields(self) -> Iterator[tuple[str, Field]]:
        """Every field with the pointer it has in the mapping."""
        for name, one in self.fields.items():
            yield f"/row/{name}", one
        for part, fields in (("traits", self.traits), ("properties", self.properties), ("products", self.lines)):
            for name, one in fields.items():
                yield f"/row/{part}/{name}", one


# Kind -> (required, optional) fields of `row`.
_FIELDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "customers": (frozenset(), frozenset({"external_id", "anonymous_id", "email", "happened_at"})),
    "orders": (
        frozenset({"external_id", "happened_at"}),
        frozenset({"order_id", "amount", "currency", "coupon", "market", "anonymous_id"}),
    ),
    "events": (
        frozenset({"event", "happened_at"}),
        frozenset({"external_id", "anonymous_id", "message_id", "device_id", "device_family", "os", "os_version",
                   "app_version", "device_model"}),
    ),
    "consents": (
        frozenset({"purpose", "granted"}),
        frozenset({"external_id", "channel", "happened_at", "text_version"}),
    ),
    "rates": (frozenset({"day", "currency", "rate"}), frozenset()),
}  # fmt: skip  # a table, read by rows
_LINES = frozenset({"group_by", "product_id", "category", "name", "price", "quantity"})
_PARTS = {"customers": "traits", "events": "properties", "orders": "products"}
_KEYS = ("kind", "source", "app", "row", "direction")


def read_mapping(document: object, columns: tuple[str, ...]) -> ImportMapping:
    """The mapping of a parsed YAML document for a file with these columns; errors name the place and the nearest."""
    if not isinstance(document, dict):
        raise MappingInvalid("A mapping is a YAML document with `kind` and `row`.")
    _known(document, _KEYS, "")
    kind = document.get("kind")
    if kind not in KINDS:
        raise MappingInvalid(
            worded("The kind is one of {kinds}, not {kind}.", kinds=", ".join(KINDS), kind=repr(kind)),
            pointer="/kind",
        )
    row = document.get("row")
    if not isinstance(row, dict) or not row:
        raise MappingInvalid("`row` says which column means what; it is missing.", pointer="/row")
    source, nulls = _source(document.get("source") or {})
    mapping = ImportMapping(
        kind=kind,
        source=source,
        app=_app(document.get("app")),
        nulls=nulls,
        fields=_row_fields(kind, row, columns),
        traits=_part(row, "traits", columns),
        properties=_part(row, "properties", columns),
        lines=_lines(row, columns),
        options={"direction": _direction(document.get("direction", "per_base"))},
    )
    _check_whole(mapping)
    return mapping


def read_source(document: object) -> Source:
    """How to read the file, before its columns are known."""
    return _source(document or {})[0]


def mapping_digest(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()


def _source(document: object) -> tuple[Source, tuple[str, ...]]:
    if not isinstance(document, dict):
        raise MappingInvalid("`source` is a mapping of encoding, delimiter, format and null.", pointer="/source")
    _known(document, ("encoding", "delimiter", "format", "null"), "/source")

    def said(name: str) -> str | None:
        value = document.get(name, "auto")
        return None if value == "auto" else str(value)

    delimiter, format = said("delimiter"), said("format")
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii()):
        raise MappingInvalid("The delimiter is one sign, such as `;`, or auto.", pointer="/source/delimiter")
    if format is not None and format not in FORMATS:
        raise MappingInvalid(
            worded("The format is one of {formats}, or auto.", formats=", ".join(FORMATS)), pointer="/source/format"
        )
    nulls = document.get("null", [""])
    if not isinstance(nulls, list):
        raise MappingInvalid("`null` is a list of the texts that mean nothing.", pointer="/source/null")
    return Source(said("encoding"), delimiter, format), tuple(str(one) for one in nulls)


def _row_fields(kind: str, row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Field]:
    required, optional = _FIELDS[kind]
    part = _PARTS.get(kind)
    _known(row, (*sorted(required | optional), *([part] if part else [])), "/row")
    if missing := sorted(required - set(row)):
        raise MappingInvalid(
            worded("`row` of {kind} needs `{field}`.", kind=kind, field=missing[0]), pointer=f"/row/{missing[0]}"
        )
    return {name: _field(row[name], columns, f"/row/{name}") for name in row if name != part}


def _part(row: dict[str, Any], part: str, columns: tuple[str, ...]) -> dict[str, Field]:
    fields = row.get(part) or {}
    if not isinstance(fields, dict):
        raise MappingInvalid(worded("`{part}` names a column for each key.", part=part), pointer=f"/row/{part}")
    found = {str(key): _field(one, columns, f"/row/{part}/{key}") for key, one in fields.items()}
    return _by_key(found) if part == "traits" else found


def _by_key(traits: dict[str, Field]) -> dict[str, Field]:
    """Traits are kept under their keys, as they are asked for (C-1); the dotted standard ones have their own names."""
    found: dict[str, Field] = {}
    for name, one in traits.items():
        key = name if name in STANDARD_TRAITS else key_of(name)
        if not key:
            raise MappingInvalid(
                worded("{name} is no name: it has no letter and no digit.", name=repr(name)),
                pointer=f"/row/traits/{name}",
            )
        if key in found:
            raise MappingInvalid(worded("Two traits are called {key}.", key=repr(key)), pointer=f"/row/traits/{name}")
        found[key] = one
    return found


def _lines(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Field]:
    fields = _part(row, "products", columns)
    _known(fields, tuple(sorted(_LINES)), "/row/products")
    if fields and "group_by" not in fields:
        raise MappingInvalid("`products` needs `group_by`: the column of the order's number.", pointer="/row/products")
    return fields


def _field(document: object, columns: tuple[str, ...], pointer: str) -> Field:
    if isinstance(document, str):
        document = {"column": document}
    if not isinstance(document, dict):
        raise MappingInvalid("A field is a column's name or a mapping with `column` or `value`.", pointer=pointer)
    _known(document, ("column", "value", "format", "zone", "decimal", "strip", "type"), pointer)
    if ("column" in document) == ("value" in document):
        raise MappingInvalid("A field has either `column` or `value`.", pointer=pointer)
    column = document.get("column")
    if column is not None and column not in columns:
        near = difflib.get_close_matches(str(column), columns, 1)
        message = (
            worded("The file has no column {column}; did you mean {near}?", column=repr(column), near=repr(near[0]))
            if near
            else worded(
                "The file has no column {column}. The file has: {columns}.",
                column=repr(column),
                columns=", ".join(columns),
            )
        )
        raise ColumnUnknown(message, pointer=pointer)
    zone = str(document.get("zone", "UTC"))
    if zone not in time_zones():
        raise MappingInvalid(
            worded("{zone} is not an IANA time zone such as Europe/Berlin.", zone=repr(zone)),
            pointer=f"{pointer}/zone",
        )
    return Field(
        column=column,
        value=None if "value" not in document else str(document["value"]),
        format=_date_format(document.get("format"), pointer),
        zone=zone,
        decimal=str(document.get("decimal", ".")),
        strip=str(document.get("strip", "")),
        type=_trait_type(document.get("type"), pointer),
    )


def _date_format(format: object, pointer: str) -> str | None:
    """What the stage's own reader of dates takes."""
    if format is None:
        return None
    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT try_strptime('', ?)", [str(format)])
    except duckdb.InvalidInputException as error:
        raise MappingInvalid(
            worded("{format} is not a format of dates such as %d/%m/%Y.", format=repr(str(format))),
            pointer=f"{pointer}/format",
        ) from error
    return str(format)


def _trait_type(name: object, pointer: str) -> Type | None:
    if name is None:
        return None
    if name not in TRAIT_TYPES:
        raise MappingInvalid(
            worded("The type is one of {types}.", types=", ".join(TRAIT_TYPES)), pointer=f"{pointer}/type"
        )
    return Type(str(name))


def _app(key: object) -> str | None:
    if key is not None and not isinstance(key, str):
        raise MappingInvalid("`app` is the key of an app.", pointer="/app")
    return key


def _direction(name: object) -> str:
    if name not in ("per_base", "to_base"):
        raise MappingInvalid(
            "The direction is per_base (units of the currency for one of the publisher's, as the ECB publishes) or"
            " to_base (units of the publisher's currency for one of it).",
            pointer="/direction",
        )
    return str(name)


def _known(document: Mapping[str, Any], names: tuple[str, ...], pointer: str) -> None:
    for name in document:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1)
            message = (
                worded("Unknown `{name}`; did you mean `{near}`?", name=name, near=near[0])
                if near
                else worded("Unknown `{name}`. Known are: {names}.", name=name, names=", ".join(names))
            )
            raise MappingInvalid(message, pointer=f"{pointer}/{name}")


def _check_whole(mapping: ImportMapping) -> None:
    fields = mapping.fields
    if mapping.kind == "customers" and not {"external_id", "anonymous_id"} & set(fields):
        raise MappingInvalid("`row` of customers needs `external_id` or `anonymous_id`.", pointer="/row")
    if mapping.kind == "events" and not {"external_id", "anonymous_id"} & set(fields):
        raise MappingInvalid("`row` of events needs `external_id` or `anonymous_id`.", pointer="/row")
    needs_app = mapping.kind in ("orders", "events") or "anonymous_id" in fields
    if needs_app and not mapping.app:
        raise MappingInvalid("Say which `app` the rows belong to.", pointer="/app")
