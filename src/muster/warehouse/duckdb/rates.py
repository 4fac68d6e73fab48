"""Exchange rates: put by day and currency; the orders they concern are derived again (C-24)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from muster.kernel.errors import MusterError
from muster.kernel.worded import worded
from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.derive import derive_touched
from muster.warehouse.duckdb.derive_orders import RATE_DAYS
from muster.warehouse.duckdb.schema import get_meta, set_meta
from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.duckdb.settings import install_settings

CURRENCY = "rates_currency"
"""Key of the publisher's currency that the rates are told in."""


def put_rates(
    connection: duckdb.DuckDBPyConnection, rates: Sequence[Rate], catalog: Catalog, source: int = 0
) -> BitMap:
    """Adds or replaces what a source says of rates; answers the customers whose orders may have changed.

    Of several sources the one that spoke last counts. `state_conflict` while those of before are in another currency.
    """
    told = get_meta(connection, CURRENCY)
    if told not in (None, catalog.currency):
        raise MusterError(
            worded(
                "The rates of before are just being told in {currency} instead of {told}. Try again when that"
                " job is done.",
                currency=catalog.currency,
                told=told,
            ),
            code="state_conflict",
        )
    set_meta(connection, CURRENCY, catalog.currency)
    latest = {(rate.day, rate.currency.strip().upper()): rate.rate for rate in rates}
    rows = pa.table(
        {
            "day": pa.array([day for day, _ in latest], pa.date32()),
            "currency": pa.array([currency for _, currency in latest], pa.string()),
            "numerator": pa.array([rate.numerator for rate in latest.values()], pa.int64()),
            "denominator": pa.array([rate.denominator for rate in latest.values()], pa.int64()),
        }
    )
    with registered(connection, "new_rates", rows):
        connection.execute("CREATE OR REPLACE TEMP TABLE changed_rates AS SELECT day, currency FROM new_rates")
        connection.execute(
            "DELETE FROM rate_entries r USING new_rates n"
            " WHERE r.day = n.day AND r.currency = n.currency AND r.source = $source",
            {"source": source},
        )
        connection.execute(
            "INSERT INTO rate_entries SELECT day, currency, numerator, denominator, $source,"
            " (SELECT coalesce(max(number), 0) + 1 FROM rate_entries) FROM new_rates",
            {"source": source},
        )
    return _put_in_force(connection, catalog)


def remove_rates(connection: duckdb.DuckDBPyConnection, source: int, catalog: Catalog) -> BitMap:
    """Takes out what a source said of rates: what others said before or after it counts again."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changed_rates AS SELECT day, currency FROM rate_entries WHERE source = $source",
        {"source": source},
    )
    connection.execute("DELETE FROM rate_entries WHERE source = $source", {"source": source})
    return _put_in_force(connection, catalog)


def _put_in_force(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> BitMap:
    install_settings(connection, catalog)
    connection.execute("DELETE FROM rates r USING changed_rates c WHERE r.day = c.day AND r.currency = c.currency")
    connection.execute(
        "INSERT INTO rates SELECT day, currency, arg_max(numerator, number), arg_max(denominator, number)"
        " FROM rate_entries SEMI JOIN changed_rates USING (day, currency) GROUP BY day, currency"
    )
    # A day at each end for the publisher's zone.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE touched_orders AS SELECT DISTINCT o.app_key, o.order_id FROM all_orders o"
        " JOIN (SELECT currency, min(day) AS first, max(day) AS last FROM changed_rates GROUP BY 1) n"
        " ON n.currency = o.currency AND o.happened_at >= n.first - 2"
        f" AND o.happened_at <= n.last + {RATE_DAYS + 2}"
    )
    return derive_touched(connection, catalog, BitMap())


def read_rates(
    connection: duckdb.DuckDBPyConnection, before: tuple[date, str] | None, currency: str | None, limit: int
) -> list[Rate]:
    """Rates in force, newest day first, currencies of a day in order; `before`: the last one seen."""
    conditions, parameters = ["true"], dict[str, object]()
    if currency is not None:
        conditions.append("currency = $currency")
        parameters["currency"] = currency
    if before is not None:
        conditions.append("(day < $day OR (day = $day AND currency > $after))")
        parameters |= {"day": before[0], "after": before[1]}
    found = connection.execute(
        f"SELECT day, currency, numerator, denominator FROM rates WHERE {' AND '.join(conditions)}"
        f" ORDER BY day DESC, currency LIMIT {int(limit)}",
        parameters,
    ).fetchall()
    return [Rate(day, code, Fraction(numerator, denominator)) for day, code, numerator, denominator in found]


def known_rates(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> list[Fraction | None]:
    """The rate in force of each row's `day` and `currency`, in order of the rows; None where there is none."""
    with registered(connection, "asked_rates", rows.append_column("position", pa.array(range(rows.num_rows)))):
        found = connection.execute(
            "SELECT r.numerator, r.denominator FROM asked_rates a LEFT JOIN rates r"
            " ON r.day = a.day AND r.currency = a.currency ORDER BY a.position"
        ).fetchall()
    return [None if numerator is None else Fraction(numerator, denominator) for numerator, denominator in found]
