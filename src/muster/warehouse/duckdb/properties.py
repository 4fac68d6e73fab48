"""SQL that reads one property of an event as a type, or null if it is not one: nothing is guessed from its spelling.

JSON numbers are numbers and nothing else is; text is text, and a number asked as text gives its shortest decimal text
(publishers send ids either way); only true and false are booleans; timestamps are RFC 3339 text with an offset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from muster.rules.vocabulary import Type

# What JSON text becomes as VARIANT: whole numbers within 64 bits are one of the first two, all others DOUBLE.
_NUMBERS = "('UINT64', 'INT64', 'DOUBLE')"
# Years 1000 to 9998: beyond, Python and SQL disagree about what exists.
_YEAR = r"([1-8]\d{3}|9[0-8]\d\d|99[0-8]\d|999[0-8])"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?"
_OFFSET = r"([Zz]|[+-](0\d|1[0-5]):[0-5]\d)"
_INSTANT = rf"^{_YEAR}-\d\d-\d\d[Tt ]{_CLOCK}{_OFFSET}$"
_DAY = rf"^{_YEAR}-\d\d-\d\d$"


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def property_as(path: str, type: Type, props: str = "props") -> str:
    """The property at `path` (dots descend) of the VARIANT column `props`."""
    value = props + "".join(f"[{literal(step)}]" for step in path.split("."))
    return _FROM_VARIANT[type](value)


def instant_of_text(text: str) -> str:
    return (
        f"CASE WHEN regexp_matches({text}, {literal(_INSTANT)})"
        f" THEN CAST(try_cast(upper({text}) AS TIMESTAMPTZ) AS TIMESTAMP) END"
    )


def day_of_text(text: str) -> str:
    return f"CASE WHEN regexp_matches({text}, {literal(_DAY)}) THEN try_cast({text} AS DATE) END"


def text_of_double(value: str) -> str:
    """Whole numbers below 10^15 without a point, all others as the shortest text that reads back the same."""
    return (
        f"CASE WHEN {value} = trunc({value}) AND abs({value}) < 1e15 THEN CAST(CAST({value} AS BIGINT) AS VARCHAR)"
        f" ELSE CAST({value} AS VARCHAR) END"
    )


def _number(value: str) -> str:
    return f"CASE WHEN variant_type({value}) IN {_NUMBERS} THEN try_cast({value} AS DOUBLE) END"


def _money(value: str) -> str:
    # Through the shortest text, not the binary value: 0.1 is a tenth. What is larger is not added: no sum overflows.
    return (
        f"CASE WHEN variant_type({value}) IN {_NUMBERS} AND abs(try_cast({value} AS DOUBLE)) < 1e15"
        f" THEN try_cast(try_cast({value} AS VARCHAR) AS DECIMAL(38, 6)) END"
    )


def _text(value: str) -> str:
    return (
        f"CASE WHEN variant_type({value}) IN ('VARCHAR', 'UINT64', 'INT64')"
        f" THEN try_cast({value} AS VARCHAR)"
        f" WHEN variant_type({value}) = 'DOUBLE' THEN {text_of_double(f'try_cast({value} AS DOUBLE)')} END"
    )


def _only_text(value: str) -> str:
    return f"CASE WHEN variant_type({value}) = 'VARCHAR' THEN try_cast({value} AS VARCHAR) END"


def _boolean(value: str) -> str:
    return f"CASE variant_type({value}) WHEN 'BOOL_TRUE' THEN true WHEN 'BOOL_FALSE' THEN false END"


def _list(value: str) -> str:
    elements = f"list_transform(try_cast({value} AS VARIANT[]), lambda element: {_text('element')})"
    return (
        f"CASE WHEN variant_type({value}) = 'ARRAY'"
        f" THEN list_filter({elements}, lambda element: element IS NOT NULL) END"
    )


_FROM_VARIANT: dict[Type, Callable[[str], str]] = {
    Type.TEXT: _text,
    Type.CATEGORY: _text,
    Type.VERSION: _text,
    Type.NUMBER: _number,
    Type.MONEY: _money,
    Type.BOOLEAN: _boolean,
    Type.TIMESTAMP: lambda value: instant_of_text(_only_text(value)),
    Type.DATE: lambda value: day_of_text(_only_text(value)),
    Type.LIST: _list,
}

SQL_TYPES: dict[Type, str] = {
    Type.TEXT: "VARCHAR",
    Type.CATEGORY: "VARCHAR",
    Type.VERSION: "VARCHAR",
    Type.NUMBER: "DOUBLE",
    Type.MONEY: "DECIMAL(38, 6)",
    Type.BOOLEAN: "BOOLEAN",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DATE: "DATE",
    Type.LIST: "VARCHAR[]",
}


@dataclass(frozen=True)
class Column:
    """A typed column that stands for a property: `kind` text (VARCHAR), number (DECIMAL) or timestamp (UTC)."""

    sql: str
    kind: Type


def micros(column: str) -> Column:
    """A column of whole micros as the number a property shows."""
    return Column(f"CAST(CAST({column} AS DECIMAL(19, 0)) * 0.000001 AS DECIMAL(38, 6))", Type.NUMBER)


def column_as(column: Column | None, type: Type) -> str:
    """The typed column as `type`, by the same rules as a JSON property; null where there is none."""
    sql = _convert(column, type) if column else "NULL"
    return f"CAST({sql} AS {SQL_TYPES[type]})"


def _convert(column: Column, type: Type) -> str:
    is_text = type in (Type.TEXT, Type.CATEGORY, Type.VERSION)
    if column.kind is Type.NUMBER:
        if is_text:
            return text_of_double(f"CAST({column.sql} AS DOUBLE)")
        return column.sql if type in (Type.NUMBER, Type.MONEY) else "NULL"
    if column.kind is Type.TIMESTAMP:
        return column.sql if type is Type.TIMESTAMP else "NULL"
    if is_text:
        return column.sql
    parse = {Type.TIMESTAMP: instant_of_text, Type.DATE: day_of_text}.get(type)
    return parse(column.sql) if parse else "NULL"
