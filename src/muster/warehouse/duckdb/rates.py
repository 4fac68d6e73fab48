"""Exchange rates: put by day and currency; the orders they concern are derived again (C-24)."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.derive import derive_touched
from muster.warehouse.duckdb.derive_orders import RATE_DAYS
from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.duckdb.settings import install_settings


def put_rates(connection: duckdb.DuckDBPyConnection, rates: Sequence[Rate], catalog: Catalog) -> BitMap:
    """Adds or replaces rates; answers the customers whose orders may have changed."""
    latest = {(rate.day, rate.currency.strip().upper()): rate.rate for rate in rates}
    rows = pa.table(
        {
            "day": pa.array([day for day, _ in latest], pa.date32()),
            "currency": pa.array([currency for _, currency in latest], pa.string()),
            "numerator": pa.array([rate.numerator for rate in latest.values()], pa.int64()),
            "denominator": pa.array([rate.denominator for rate in latest.values()], pa.int64()),
        }
    )
    install_settings(connection, catalog)
    with registered(connection, "new_rates", rows):
        connection.execute("DELETE FROM rates r USING new_rates n WHERE r.day = n.day AND r.currency = n.currency")
        connection.execute("INSERT INTO rates SELECT * FROM new_rates")
        # A day at each end for the publisher's zone.
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE touched_orders AS SELECT DISTINCT o.app_key, o.order_id FROM all_orders o"
            " JOIN (SELECT currency, min(day) AS first, max(day) AS last FROM new_rates GROUP BY 1) n"
            " ON n.currency = o.currency AND o.happened_at >= n.first - 2"
            f" AND o.happened_at <= n.last + {RATE_DAYS + 2}"
        )
    return derive_touched(connection, catalog, BitMap())
