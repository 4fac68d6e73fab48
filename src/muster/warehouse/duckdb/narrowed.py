"""The rows of some customers alone, under the names of the relations: the same SQL asks them, in less time.

Each table is read once. Customers are numbered by their place among those asked about, so that an evaluation of them
counts from 0 and knows no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.port import Needed

_SESSION = STANDARD_EVENTS["session"].number
# Where the derived occurrences of events stand, besides their stored ones; and whether in tables of orders.
_DERIVED: Mapping[str, tuple[str, ...]] = {
    "order_completed": ("all_orders",),
    "order_updated": ("all_orders", "order_entries"),
    "order_cancelled": ("all_orders", "order_entries"),
    "order_refunded": ("all_orders", "order_entries"),
    "product_purchased": ("purchases",),
    "app_acquired": ("acquisitions",),
    "addon_acquired": ("acquisitions",),
    "session": ("all_sessions",),
}
_TABLES_OF = {STANDARD_EVENTS[key].number: tables for key, tables in _DERIVED.items()}


def narrow(connection: duckdb.DuckDBPyConnection, keys: npt.NDArray[np.uint32], needed: Needed) -> None:
    """From now on this cursor finds temporary tables under the names of those that are needed."""
    asked = pa.table({"customer_key": keys, "position": np.arange(len(keys), dtype=np.uint32)})
    connection.register("asked_keys", asked)
    connection.execute("CREATE TEMP TABLE asked_people AS SELECT * FROM asked_keys")
    [(database,)] = connection.execute("SELECT current_database()").fetchall()
    for name, columns in _relations(needed).items():
        _copy(connection, database, name, columns)
    if needed.events:
        _copy_events(connection, database, needed.events)


def _relations(needed: Needed) -> dict[str, list[str]]:
    relations = {
        "profiles": sorted(needed.profiles),
        "app_facts": ["app_key", *sorted(needed.app_facts)],
        "devices": ["app_key", *sorted(needed.devices)],
    }
    return relations | ({"holdings": ["app_key", "addon", "expires_at"]} if needed.holdings else {})


def _copy(connection: duckdb.DuckDBPyConnection, database: str, name: str, columns: Iterable[str]) -> None:
    told = "".join(f", r.{column}" for column in columns)
    _create(connection, name, f"a.position AS customer_key{told}", f"{database}.main.{name} r")


def _create(connection: duckdb.DuckDBPyConnection, name: str, selected: str, source: str, where: str = "true") -> None:
    connection.execute(
        f"CREATE TEMP TABLE {name} AS SELECT {selected} FROM {source} JOIN asked_people a USING (customer_key)"
        f" WHERE {where}"
    )


def _copy_events(connection: duckdb.DuckDBPyConnection, database: str, events: Mapping[int, bool]) -> None:
    stored = [number for number in sorted(events) if number != _SESSION]
    if stored:
        wanted = ", ".join(str(number) for number in stored if events[number])
        props = f"CASE WHEN r.event IN ({wanted}) THEN r.props END" if wanted else "NULL::VARIANT"
        _create(
            connection,
            "all_events",
            f"a.position AS customer_key, r.app_key, r.event, r.happened_at, {props} AS props",
            f"{database}.main.all_events r",
            f"r.event IN ({', '.join(map(str, stored))})",
        )
    tables: dict[str, Any] = {table: None for number in events for table in _TABLES_OF.get(number, ())}
    for table in tables:
        if table == "order_entries":
            # Of whose order it is the order itself tells.
            connection.execute(
                "CREATE TEMP TABLE order_entries AS SELECT e.* FROM"
                f" {database}.main.order_entries e SEMI JOIN all_orders o USING (app_key, order_id)"
            )
        else:
            _create(connection, table, "r.* REPLACE (a.position AS customer_key)", f"{database}.main.{table} r")
