"""Takes everything out that came from one source, as if it had never been sent (C-37)."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.derive import rederive_keys
from muster.warehouse.duckdb.erase import NEVER_SEEN
from muster.warehouse.duckdb.rates import remove_rates
from muster.warehouse.duckdb.rejects import drop_rejects
from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.duckdb.settings import install_settings

# What was said, or worked out, of customers by others than a source.
_BESIDE_SOURCES = ("consents", "churn_scores", "usage_carry")
_WITH_SOURCE = ("sightings", "traits", "emails", "consents", "all_events", "touches", "device_sightings")


def remove_source(
    connection: duckdb.DuckDBPyConnection, source: int, catalog: Catalog, cursor: str | None = None
) -> BitMap:
    """Answers everybody whose rows may have changed; who was known from this source alone is a customer no more.

    Rates the source brought are replaced by those of before. `cursor`: the source's own, forgotten with it.
    """
    install_settings(connection, catalog)
    connection.execute("DELETE FROM cursors WHERE name = ?", [cursor])
    mine = f"source = {source:d}"
    touched = BitMap(
        connection.execute(
            f"SELECT customer_key FROM sightings WHERE {mine} UNION SELECT o.customer_key FROM all_orders o"
            f" SEMI JOIN (SELECT * FROM order_entries WHERE {mine}) e USING (app_key, order_id)"
        ).fetchnumpy()["customer_key"]
    )
    connection.execute(
        "DELETE FROM order_lines l USING order_entries e"
        f" WHERE e.{mine} AND l.app_key = e.app_key AND l.order_id = e.order_id AND l.hash = e.hash"
    )
    for table in (*_WITH_SOURCE, "order_entries", "event_ids"):
        connection.execute(f"DELETE FROM {table} WHERE {mine}")
    drop_rejects(connection, mine)
    with registered(connection, "undone", pa.table({"customer_key": pa.array(list(touched), pa.uint32())})):
        connection.execute(
            "DELETE FROM identities WHERE customer_key IN (SELECT customer_key FROM undone)"
            " AND customer_key NOT IN (SELECT customer_key FROM sightings)"
        )
    connection.execute(f"DELETE FROM device_ids WHERE {NEVER_SEEN}")
    return rederive_keys(connection, catalog, touched) | remove_rates(connection, source, catalog)


def forget_app(connection: duckdb.DuckDBPyConnection, app_key: int, catalog: Catalog) -> BitMap:
    """What is left of an app whose sources were removed, and of those who were customers by them alone."""
    install_settings(connection, catalog)
    gone = "customer_key NOT IN (SELECT customer_key FROM identities)"
    told = {table: gone if table == "consents" else f"({gone} OR app_key = {app_key:d})" for table in _BESIDE_SOURCES}
    touched = BitMap(
        connection.execute(
            " UNION ".join(f"SELECT customer_key FROM {table} WHERE {which}" for table, which in told.items())
        ).fetchnumpy()["customer_key"]
    )
    for table, which in told.items():
        connection.execute(f"DELETE FROM {table} WHERE {which}")
    drop_rejects(connection, f"app_key = {app_key:d}")
    return rederive_keys(connection, catalog, touched)
