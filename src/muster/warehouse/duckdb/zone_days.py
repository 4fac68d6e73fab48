"""The publisher's calendar days as rows.

Made with the same function as everything else that knows days; DuckDB's own zone data is another version of it.
"""

from __future__ import annotations

from datetime import UTC, date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from muster.kernel.civil import day_start
from muster.warehouse.duckdb.scratch import temp_table


def install_zone_days(
    connection: duckdb.DuckDBPyConnection, zone: str, range_sql: str, values: dict[str, str] | None = None
) -> None:
    """Makes `zone_days` (day, starts_at) around the two instants that the query gives."""
    # All rows are fetched, here and elsewhere: an unfinished result blocks the connection.
    ((first, last),) = connection.execute(range_sql, values or {}).fetchall()
    years = range((first - timedelta(2)).year, (last + timedelta(2)).year + 1) if first else range(1970, 1971)
    temp_table(connection, "zone_days", pa.concat_tables([_days_of_year(zone, year) for year in years]))


@lru_cache(maxsize=512)
def _days_of_year(zone: str, year: int) -> pa.Table:
    first, count = date(year, 1, 1), (date(year, 12, 31) - date(year, 1, 1)).days + 1
    days = [first + timedelta(offset) for offset in range(count)]
    starts = [day_start(day, ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None) for day in days]
    return pa.table({"day": pa.array(days, pa.date32()), "starts_at": pa.array(starts, pa.timestamp("us"))})
