"""Which rows of an import say only what is known already: the verdict `unchanged` of a dry run (C-36).

Decided where it costs one join; in doubt a row counts as a change. Whoever asks knows that customer or order exists.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import numpy as np
import pyarrow as pa

from muster.warehouse.duckdb.properties import literal
from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.normal.countries import country_code
from muster.warehouse.normal.traits import STANDARD_TRAITS, normal_trait

_STANDARD = ", ".join(literal(attribute) for attribute in sorted(STANDARD_TRAITS))
_LINE = "concat_ws(chr(31), {0}.product_id, {0}.category, {0}.name, {0}.price_micros, {0}.quantity)"


def unchanged_rows(
    connection: duckdb.DuckDBPyConnection, kind: str, app_key: int, rows: pa.Table, lines: pa.Table | None
) -> pa.Array:
    """A boolean for each row. `rows`: the columns of the kind's stage; `lines` of orders: their `item` is the row."""
    asked = rows.append_column("position", pa.array(np.arange(rows.num_rows, dtype=np.uint32)))
    ask = _KINDS.get(kind)
    same = np.zeros(rows.num_rows, np.bool_)
    if ask is not None and rows.num_rows:
        with registered(connection, "asked_rows", asked):
            same[ask(connection, app_key, lines)] = True
    return pa.array(same)


def _customers(connection: duckdb.DuckDBPyConnection, app_key: int, _: pa.Table | None) -> list[int]:
    # What is said of an app may stand beside what was said of another: only rows of no app are compared.
    if app_key:
        return []
    with registered(connection, "normal_asked", _normal_traits(connection)):
        found = connection.execute(_CUSTOMERS).fetchall()
    return [position for (position,) in found]


_PAIRS = """
SELECT position, traits[n] AS attribute, traits[n + 1] AS value
FROM (SELECT position, traits, unnest(range(1, len(traits), 2)) AS n FROM asked_rows) WHERE traits[n + 1] IS NOT NULL
"""

_CUSTOMERS = f"""
WITH asked AS (
    SELECT a.position, a.email, i.customer_key FROM asked_rows a
    JOIN identities i ON i.kind = 'external' AND i.text = a.external_id WHERE a.anonymous_id IS NULL),
said AS (
    SELECT p.position, p.attribute, CASE WHEN p.attribute IN ({_STANDARD}) THEN n.normal ELSE p.value END AS value
    FROM ({_PAIRS}) p LEFT JOIN normal_asked n USING (attribute, value)),
known AS (
    SELECT customer_key, attribute, max_by(value, row(happened_at, hash, value)) AS value
    FROM traits SEMI JOIN asked USING (customer_key) GROUP BY ALL),
addresses AS (
    SELECT customer_key, max_by(address, row(happened_at, hash, address)) AS address
    FROM emails SEMI JOIN asked USING (customer_key) WHERE verified GROUP BY ALL),
changed AS (
    SELECT s.position FROM said s JOIN asked a USING (position)
    LEFT JOIN known k ON k.customer_key = a.customer_key AND k.attribute = s.attribute
    WHERE s.value IS NULL OR s.value IS DISTINCT FROM k.value)
SELECT a.position FROM asked a LEFT JOIN addresses e USING (customer_key) ANTI JOIN changed c USING (position)
WHERE a.email IS NULL OR nfc_normalize(trim(a.email)) = e.address
"""


def _normal_traits(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Standard traits in their normal form, null where they would not be taken."""
    said = connection.execute(
        f"SELECT DISTINCT attribute, value FROM ({_PAIRS}) WHERE attribute IN ({_STANDARD})"
    ).fetchall()
    return pa.table(
        {
            "attribute": pa.array([attribute for attribute, _ in said], pa.string()),
            "value": pa.array([value for _, value in said], pa.string()),
            "normal": pa.array([normal_trait(attribute, value).value for attribute, value in said], pa.string()),
        }
    )


def _orders(connection: duckdb.DuckDBPyConnection, app_key: int, lines: pa.Table | None) -> list[int]:
    texts = [text for (text,) in connection.execute("SELECT DISTINCT market FROM asked_rows").fetchall() if text]
    markets = pa.table({"text": pa.array(texts, pa.string()), "code": pa.array(map(country_code, texts), pa.string())})
    empty = pa.table({"item": pa.array([], pa.uint32()), "said": pa.array([], pa.string())})
    with registered(connection, "asked_markets", markets), registered(connection, "no_lines", empty):
        if lines is None:
            found = connection.execute(_ORDERS.format(lines="no_lines"), {"app": app_key}).fetchall()
        else:
            with registered(connection, "asked_lines", lines):
                told = f"SELECT item, string_agg({_LINE.format('l')}, chr(30) ORDER BY line) AS said"
                grouped = f"({told} FROM asked_lines l GROUP BY item)"
                found = connection.execute(_ORDERS.format(lines=grouped), {"app": app_key}).fetchall()
    return [position for (position,) in found]


_ORDERS = f"""
WITH asked AS (
    SELECT a.*, i.customer_key, m.code FROM asked_rows a
    JOIN identities i ON i.kind = 'external' AND i.text = a.external_id
    LEFT JOIN asked_markets m ON m.text = a.market),
there AS (SELECT o.* FROM all_orders o SEMI JOIN asked USING (order_id) WHERE app_key = $app AND state = 'completed'),
there_lines AS (
    SELECT t.order_id, string_agg({_LINE.format("l")}, chr(30) ORDER BY l.line) AS said FROM there t
    JOIN order_lines l ON l.app_key = t.app_key AND l.order_id = t.order_id AND l.hash = t.entry GROUP BY t.order_id)
SELECT a.position FROM asked a JOIN there o USING (order_id, customer_key)
LEFT JOIN there_lines k USING (order_id) LEFT JOIN {{lines}} l ON l.item = a.position
WHERE o.happened_at = a.happened_at AND o.amount_micros IS NOT DISTINCT FROM a.amount_micros
    AND CASE WHEN o.currency_assumed THEN a.currency IS NULL ELSE o.currency IS NOT DISTINCT FROM a.currency END
    AND o.coupon IS NOT DISTINCT FROM nullif(trim(a.coupon), '') AND o.market IS NOT DISTINCT FROM a.code
    AND k.said IS NOT DISTINCT FROM l.said
"""


def _consents(connection: duckdb.DuckDBPyConnection, _: int, __: pa.Table | None) -> list[int]:
    found = connection.execute(
        """
        WITH asked AS (
            SELECT a.*, i.customer_key FROM asked_rows a
            JOIN identities i ON i.kind = 'external' AND i.text = a.external_id),
        known AS (
            SELECT customer_key, purpose, channel, max_by(granted, row(happened_at, hash, NOT granted)) AS granted
            FROM consents SEMI JOIN asked USING (customer_key) GROUP BY ALL)
        SELECT a.position FROM asked a JOIN known k ON k.customer_key = a.customer_key AND k.purpose = a.purpose
            AND k.channel IS NOT DISTINCT FROM a.channel AND k.granted = a.granted
        """
    ).fetchall()
    return [position for (position,) in found]


_KINDS: dict[str, Callable[[duckdb.DuckDBPyConnection, int, pa.Table | None], list[int]]] = {
    "customers": _customers,
    "orders": _orders,
    "consents": _consents,
}
