"""A mapping as people choose it: what each column of a file is, and how its dates and numbers are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster.rules.vocabulary import Type

TRAIT, PROPERTY = "trait", "property"
LINE = "line:"
"""What begins the roles of columns of order lines."""

ROLES: Mapping[str, tuple[str, ...]] = {
    "customers": ("external_id", "anonymous_id", "email", "happened_at", TRAIT),
    "orders": (
        "external_id", "anonymous_id", "happened_at", "order_id", "amount", "currency", "coupon", "market",
        "line:product_id", "line:category", "line:name", "line:price", "line:quantity",
    ),
    "events": (
        "external_id", "anonymous_id", "event", "happened_at", "message_id", "device_id", "device_family", "os",
        "os_version", "app_version", "device_model", PROPERTY,
    ),
    "consents": ("external_id", "purpose", "channel", "granted", "happened_at", "text_version"),
    "rates": ("day", "currency", "rate"),
}  # fmt: skip  # a table, read by rows
FIXED: Mapping[str, tuple[str, ...]] = {
    "customers": (),
    "orders": ("currency", "market"),
    "events": ("event",),
    "consents": ("purpose", "channel", "granted"),
    "rates": ("currency",),
}
"""What may be the same for all rows of a file."""

NEEDS_APP = ("orders", "events")
_DATES = ("happened_at", "day")
_NUMBERS = ("amount", "rate", "line:price", "line:quantity")
_DATE_TYPES, _NUMBER_TYPES = (Type.DATE, Type.TIMESTAMP), (Type.NUMBER,)


@dataclass(frozen=True)
class Choice:
    """One column. `role` is empty of one that is left out; `name` and `type` are of traits and properties."""

    column: str
    role: str = ""
    name: str = ""
    type: str = Type.TEXT
    format: str = ""

    @property
    def is_date(self) -> bool:
        return self.role in _DATES or (self.is_named and self.type in _DATE_TYPES)

    @property
    def is_named(self) -> bool:
        return self.role in (TRAIT, PROPERTY)


@dataclass(frozen=True)
class Choices:
    """A whole mapping. `decimal` and `strip` hold for every number, `zone` for every date without an offset."""

    kind: str
    app: str = ""
    columns: tuple[Choice, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    decimal: str = "."
    strip: str = ""
    direction: str = "per_base"
    source: Mapping[str, Any] = field(default_factory=dict)


def document_of(chosen: Choices) -> dict[str, Any]:
    """The mapping as it is kept and as REST takes it."""
    row: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {TRAIT: {}, PROPERTY: {}, LINE: {}}
    for one in chosen.columns:
        if one.role.startswith(LINE):
            parts[LINE][one.role.removeprefix(LINE)] = _field(one, chosen)
        elif one.is_named:
            parts[one.role][one.name] = _field(one, chosen)
        elif one.role:
            row[one.role] = _field(one, chosen)
    for name, value in chosen.fixed.items():
        if value and name not in row:
            row[name] = {"value": value}
    if parts[LINE]:
        # Lines of one order are told by the number of their order.
        by = next((one.column for one in chosen.columns if one.role == "order_id"), None)
        row["products"] = {**({"group_by": by} if by is not None else {}), **parts[LINE]}
    for part, name in ((TRAIT, "traits"), (PROPERTY, "properties")):
        if parts[part]:
            row[name] = parts[part]
    document: dict[str, Any] = {"kind": chosen.kind, "row": row}
    if chosen.app:
        document["app"] = chosen.app
    if chosen.source:
        document["source"] = dict(chosen.source)
    if chosen.kind == "rates":
        document["direction"] = chosen.direction
    return document


def _field(one: Choice, chosen: Choices) -> Any:
    told: dict[str, Any] = {"column": one.column}
    if one.is_named and one.type != Type.TEXT:
        told["type"] = str(one.type)
    if one.is_date:
        told |= {"format": one.format} if one.format else {}
        told |= {"zone": chosen.zone} if chosen.zone != "UTC" else {}
    if one.role in _NUMBERS or (one.is_named and one.type in _NUMBER_TYPES):
        told |= {"decimal": chosen.decimal} if chosen.decimal != "." else {}
        told |= {"strip": chosen.strip} if chosen.strip else {}
    return one.column if len(told) == 1 else told


def choices_of(document: Mapping[str, Any], columns: Sequence[str]) -> Choices:
    """The choices that a mapping says; what it says beyond them is left out."""
    fields = dict(_fields(document.get("row") or {}))
    by_column: dict[str, Choice] = {}
    fixed: dict[str, str] = {}
    styles: dict[str, str] = {}
    for (role, name), told in fields.items():
        if "value" in told:
            fixed[role] = str(told["value"])
        elif told.get("column") not in by_column:
            column = str(told.get("column"))
            by_column[column] = Choice(
                column, role, name, str(told.get("type") or Type.TEXT), str(told.get("format") or "")
            )
        styles |= {key: str(told[key]) for key in ("zone", "decimal", "strip") if key in told}
    return Choices(
        kind=str(document.get("kind")),
        app=str(document.get("app") or ""),
        columns=tuple(by_column.get(column, Choice(column)) for column in columns),
        fixed=fixed,
        zone=styles.get("zone", "UTC"),
        decimal=styles.get("decimal", "."),
        strip=styles.get("strip", ""),
        direction=str(document.get("direction") or "per_base"),
        source=document.get("source") or {},
    )


def _fields(row: Mapping[str, Any]) -> list[tuple[tuple[str, str], Mapping[str, Any]]]:
    """((role, name), field) of every field of a row, plain columns as fields."""
    found: list[tuple[tuple[str, str], Any]] = []
    lines = row.get("products") or {}
    for name, told in row.items():
        match name:
            case "traits" | "properties":
                role = TRAIT if name == "traits" else PROPERTY
                found += [((role, str(key)), one) for key, one in (told or {}).items()]
            case "products":
                found += [((LINE + str(key), ""), one) for key, one in lines.items() if key != "group_by"]
            case _:
                found.append(((str(name), ""), told))
    if "order_id" not in row and "group_by" in lines:
        found.append((("order_id", ""), lines["group_by"]))
    return [(place, one if isinstance(one, Mapping) else {"column": one}) for place, one in found]
