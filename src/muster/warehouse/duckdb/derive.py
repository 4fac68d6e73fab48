"""Derives every fact of the touched customers again from their raw rows (C-20): set-based, order-free, repeatable.

First what several customers may share (orders and devices: entries of different customers may name one), which
may touch further customers; then what belongs to one customer.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.compacting import note_unsorted
from muster.warehouse.duckdb.derive_acquisitions import derive_acquisitions, derive_holdings
from muster.warehouse.duckdb.derive_app_facts import derive_app_facts
from muster.warehouse.duckdb.derive_devices import derive_devices
from muster.warehouse.duckdb.derive_orders import derive_orders
from muster.warehouse.duckdb.derive_profiles import derive_profiles
from muster.warehouse.duckdb.derive_usage import derive_usage
from muster.warehouse.duckdb.schema import forget_late, forget_stale
from muster.warehouse.duckdb.scratch import count_of, temp_table

# Bounds the temporary tables when everybody is derived again.
CHUNK = 500_000
MOST_GATHERED = 20_000


def derive_touched(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, touched: BitMap, *, devices: bool = True
) -> BitMap:
    """Derives the customers and the orders in `touched_orders`; answers everybody whose rows may have changed. Without
    `devices` those stay as they are: of none anything was said, and nobody became somebody else."""
    _touch(connection, touched)
    derive_orders(connection, catalog)
    if devices:
        derive_devices(connection)
    _gather_events(connection)
    derive_usage(connection)
    derive_acquisitions(connection)
    derive_holdings(connection)
    derive_app_facts(connection, catalog)
    derive_profiles(connection, catalog)
    found = BitMap(connection.execute("SELECT customer_key FROM touched").fetchnumpy()["customer_key"])
    note_unsorted(connection, len(found))
    return found


def _gather_events(connection: duckdb.DuckDBPyConnection) -> None:
    """`events_now`: all events of the touched, looked for once. Of many customers only what each question wants of them
    is read instead: their events may be most of the table."""
    theirs = "SELECT * FROM all_events SEMI JOIN touched USING (customer_key)"
    if count_of(connection, "SELECT count(*) FROM touched") > MOST_GATHERED:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW events_now AS {theirs}")
    else:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE gathered_events AS {theirs}")
        connection.execute("CREATE OR REPLACE TEMP VIEW events_now AS SELECT * FROM gathered_events")


def rederive_keys(connection: duckdb.DuckDBPyConnection, catalog: Catalog, keys: BitMap) -> BitMap:
    """Derives the customers with all their orders again; answers everybody whose rows may have changed."""
    touched = BitMap()
    ordered = np.array(keys, dtype=np.uint32)
    for start in range(0, len(ordered), CHUNK):
        _touch(connection, BitMap(ordered[start : start + CHUNK]))
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE touched_orders AS"
            " SELECT DISTINCT app_key, order_id FROM order_entries SEMI JOIN touched USING (customer_key)"
            " UNION SELECT app_key, order_id FROM all_orders SEMI JOIN touched USING (customer_key)"
        )
        touched |= derive_touched(connection, catalog, BitMap(ordered[start : start + CHUNK]))
    return touched


def leave_stale(connection: duckdb.DuckDBPyConnection, touched: BitMap) -> None:
    """Remembers the customers and the orders in `touched_orders` for `derive_stale`."""
    _touch(connection, touched)
    connection.execute("INSERT INTO stale SELECT customer_key FROM touched")
    connection.execute("INSERT INTO stale_orders SELECT app_key, order_id FROM touched_orders")


def derive_stale(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> BitMap:
    """Derives what was left, orders and then customers in chunks; answers everybody whose rows may have changed."""
    keys = BitMap(connection.execute("SELECT DISTINCT customer_key FROM stale").fetchnumpy()["customer_key"])
    keys |= _derive_stale_orders(connection, catalog)
    connection.execute("CREATE OR REPLACE TEMP TABLE touched_orders (app_key USMALLINT, order_id VARCHAR)")
    touched = BitMap()
    ordered = np.array(keys, dtype=np.uint32)
    for start in range(0, len(ordered), CHUNK):
        touched |= derive_touched(connection, catalog, BitMap(ordered[start : start + CHUNK]))
    forget_stale(connection)
    return touched


def derive_late(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> BitMap:
    """Derives what appends of a few items left; answers everybody whose rows may have changed."""
    keys = BitMap(connection.execute("SELECT DISTINCT customer_key FROM late").fetchnumpy()["customer_key"])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE touched_orders AS SELECT app_key, order_id FROM late_orders"
        " UNION SELECT app_key, order_id FROM order_entries SEMI JOIN late USING (customer_key)"
    )
    touched = derive_touched(connection, catalog, keys)
    forget_late(connection)
    return touched


def _derive_stale_orders(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> BitMap:
    """Derives the orders that were left; answers who owned or owns one of them."""
    owners = BitMap()
    parts = -(-count_of(connection, "SELECT count(*) FROM stale_orders") // CHUNK)
    for part in range(parts):
        _touch(connection, BitMap())
        # By hash, so that an order left more than once is derived once.
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE touched_orders AS SELECT DISTINCT app_key, order_id FROM stale_orders"
            f" WHERE hash(order_id) % {parts} = {part}"
        )
        derive_orders(connection, catalog)
        owners |= BitMap(connection.execute("SELECT customer_key FROM touched").fetchnumpy()["customer_key"])
    return owners


def all_keys(connection: duckdb.DuckDBPyConnection) -> BitMap:
    """Every customer with a raw or a derived row."""
    query = "SELECT customer_key FROM identities UNION SELECT customer_key FROM profiles"
    return BitMap(connection.execute(query).fetchnumpy()["customer_key"])


def _touch(connection: duckdb.DuckDBPyConnection, keys: BitMap) -> None:
    temp_table(connection, "touched", pa.table({"customer_key": pa.array(np.array(keys, dtype=np.uint32))}))
