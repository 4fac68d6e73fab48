"""Custom attributes: the newest trait that is, or converts without loss to, the attribute's type (C-3, C-17)."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa

from muster.kernel.versions import is_version, version_key
from muster.rules.vocabulary import Scope, Type
from muster.warehouse.catalog import Catalog, CustomAttribute
from muster.warehouse.duckdb.properties import day_of_text, instant_of_text, text_of_double
from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.normal.values import text_of
from muster.warehouse.relations import custom_columns

_NUMBER = r"'^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$'"
_ELEMENT = "element->>'$'"
_ELEMENT_TEXT = (
    f"CASE WHEN json_type(element) IN ('VARCHAR', 'UBIGINT', 'BIGINT') THEN {_ELEMENT}"
    f" WHEN json_type(element) = 'DOUBLE' THEN {text_of_double(f'try_cast({_ELEMENT} AS DOUBLE)')} END"
)

# Each yields the typed value of a row of `spelled`, or null if the trait does not convert.
_TYPED = {
    Type.TEXT: "written",
    Type.CATEGORY: "written",
    Type.VERSION: "version",
    Type.NUMBER: "number_value",
    Type.MONEY: f"try_cast(try_cast({text_of_double('number_value')} AS DECIMAL(25, 6)) * 1000000 AS BIGINT)",
    Type.BOOLEAN: "CASE WHEN kind = 'BOOLEAN' THEN spelling = 'true' END",
    Type.TIMESTAMP: f"CASE WHEN kind = 'VARCHAR' THEN {instant_of_text('spelling')} END",
    Type.DATE: f"CASE WHEN kind = 'VARCHAR' THEN {day_of_text('spelling')} END",
    Type.LIST: (
        "CASE WHEN kind = 'ARRAY' THEN list_filter(list_transform(CAST(value AS JSON[]),"
        f" lambda element: {_ELEMENT_TEXT}), lambda element: element IS NOT NULL) END"
    ),
}


def custom_values(connection: duckdb.DuckDBPyConnection, catalog: Catalog, scope: Scope) -> list[str]:
    """Makes `custom_now` (customer_key, app_key for app scope, c_<number>...); answers its value columns."""
    connection.execute(_SAID, {"scope": str(scope)})
    present = {row[0] for row in connection.execute("SELECT DISTINCT attribute FROM custom_said").fetchall()}
    attributes = [a for a in catalog.attributes.values() if a.scope is scope and a.key in present]
    if not attributes:
        return []
    grain = "customer_key, app_key" if scope is Scope.APP else "customer_key"
    newest = ", ".join(column for attribute in attributes for column in _newest(attribute))
    with registered(connection, "custom_versions", _versions(connection)):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE custom_now AS WITH {_SPELLED}, typed AS ({_typed(attributes)})"
            f" SELECT {grain}, {newest} FROM typed GROUP BY {grain}"
        )
    return [column for attribute in attributes for column in custom_columns(attribute.column, attribute.type)]


_SAID = """
CREATE OR REPLACE TEMP TABLE custom_said AS
SELECT r.customer_key, r.app_key, r.attribute, CAST(r.value AS JSON) AS value, json_type(CAST(r.value AS JSON)) AS kind,
    CAST(r.value AS JSON)->>'$' AS spelling, r.happened_at, r.hash, s.number, s.type
FROM traits r SEMI JOIN touched USING (customer_key) JOIN set_attribute s ON s.attribute = r.attribute
WHERE s.scope = $scope AND r.trust >= s.accept_from AND (s.scope <> 'app' OR r.app_key > 0);
"""

_SPELLED = f"""
numbers AS (
    SELECT *, CASE WHEN kind IN ('UBIGINT', 'BIGINT', 'DOUBLE')
        OR (kind = 'VARCHAR' AND regexp_matches(spelling, {_NUMBER})) THEN try_cast(spelling AS DOUBLE) END AS parsed
    FROM custom_said),
texts AS (
    SELECT *, CASE WHEN isfinite(parsed) THEN parsed END AS number_value,
        CASE WHEN kind IN ('VARCHAR', 'UBIGINT', 'BIGINT') THEN spelling
            WHEN kind = 'DOUBLE' THEN {text_of_double("parsed")} END AS written
    FROM numbers),
spelled AS (
    SELECT t.*, v.text AS version, v.key AS version_key FROM texts t LEFT JOIN custom_versions v ON v.text = t.written)
"""


def _typed(attributes: list[CustomAttribute]) -> str:
    """Every trait with its value in the column of its type; `removed` for null, which is a word of its own."""
    types = sorted({attribute.type for attribute in attributes})
    columns = ", ".join(f"CASE WHEN type = '{type}' THEN {_TYPED[type]} END AS as_{type}" for type in types)
    return (
        "SELECT customer_key, app_key, number, version_key, kind = 'NULL' AS removed,"
        f" row(happened_at, hash, CAST(value AS VARCHAR)) AS place, {columns} FROM spelled"
    )


def _newest(attribute: CustomAttribute) -> list[str]:
    value = f"as_{attribute.type}"
    mine = f"number = {attribute.number} AND (removed OR {value} IS NOT NULL)"
    columns = custom_columns(attribute.column, attribute.type)
    # Wrapped in a row because max_by passes over nulls, and a removal is a null that counts.
    return [
        f"struct_extract(max_by(row({source}), place) FILTER ({mine}), 1) AS {column}"
        for column, source in zip(columns, (value, "version_key"), strict=False)
    ]


def _versions(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The distinct texts of version attributes that are versions, with their sortable keys."""
    sent = "SELECT DISTINCT CAST(value AS VARCHAR) FROM custom_said WHERE type = 'version'"
    told = {text_of(json.loads(value)) for (value,) in connection.execute(sent).fetchall()}
    texts = [text for text in told if text is not None and is_version(text)]
    keys = [version_key(text) for text in texts]
    return pa.table({"text": pa.array(texts, pa.string()), "key": pa.array(keys, pa.string())})
