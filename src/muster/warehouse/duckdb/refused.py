"""Looks at what was refused, and takes it once more: out of the rejects and in again, in one transaction (E-14)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from muster.warehouse.batch import Batch, Outcome
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.append import append_batch, naive
from muster.warehouse.duckdb.rejects import forget_requests, last_number
from muster.warehouse.ledger import ErasureLedger
from muster.warehouse.refused import Asked, Refused, RefusedCount

_COLUMNS = "number, code, app_key, source, received_at, item, place, coalesce(nth, 0), told"
_FROM = "rejects LEFT JOIN reject_requests USING (place)"
_REPLAYABLE = "item IS NOT NULL AND told IS NOT NULL"


def newest_refused(
    connection: duckdb.DuckDBPyConnection, asked: Asked, before: int | None, limit: int
) -> list[Refused]:
    """Newest first; `before`: the number of the last one seen."""
    conditions, values = _conditions(asked)
    if before is not None:
        conditions, values = [*conditions, "number < ?"], [*values, before]
    return _read(connection, conditions, values, f"number DESC LIMIT {limit:d}")


def to_replay(connection: duckdb.DuckDBPyConnection, asked: Asked, after: int, last: int, limit: int) -> list[Refused]:
    """Those that can be taken once more, with numbers behind `after` up to `last`, in the order of refusal."""
    conditions, values = _conditions(asked)
    conditions += ["number > ?", "number <= ?", _REPLAYABLE]
    return _read(connection, conditions, [*values, after, last], f"number LIMIT {limit:d}")


def count_refused(connection: duckdb.DuckDBPyConnection, asked: Asked) -> list[RefusedCount]:
    """By app and verdict, the most frequent first."""
    conditions, values = _conditions(asked)
    rows = connection.execute(
        f"SELECT app_key, code, count(*), count(*) FILTER ({_REPLAYABLE}), max(received_at) FROM {_FROM}"
        f" WHERE {_all(conditions)} GROUP BY ALL ORDER BY 3 DESC, 1, 2",
        values,
    ).fetchall()
    return [RefusedCount(app, code, count, can, _aware(at)) for app, code, count, can, at in rows]


def last_taken(
    connection: duckdb.DuckDBPyConnection, sources: Collection[int], since: datetime, counted_since: datetime
) -> dict[int, tuple[int, datetime]]:
    """By source how many items were taken since the later time, and when the last one since the earlier."""
    if not sources:
        return {}
    rows = connection.execute(
        "SELECT source, count(*) FILTER (received_at >= $counted), max(received_at) FROM event_ids"
        f" WHERE received_at >= $since AND source IN ({', '.join(str(int(source)) for source in sources)}) GROUP BY 1",
        {"since": naive(since), "counted": naive(counted_since)},
    ).fetchall()
    return {source: (count, _aware(at)) for source, count, at in rows}


def replay(
    connection: duckdb.DuckDBPyConnection,
    numbers: Sequence[int],
    batch: Batch,
    catalog: Catalog,
    ledger: ErasureLedger | None,
) -> Outcome | None:
    """Appends the batch in the place of these. None, and nothing done, if one of them is not there any more.

    What is refused again is kept no longer for that: it stays as old as it is.
    """
    marks = ", ".join(str(int(number)) for number in numbers)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE replayed AS SELECT place, nth, min(received_at) AS received_at, count(*) AS rows"
        f" FROM rejects WHERE number IN ({marks}) GROUP BY ALL"
    )
    [(found,)] = connection.execute("SELECT coalesce(sum(rows), 0) FROM replayed").fetchall()
    if found != len(numbers):
        return None
    last = last_number(connection)
    connection.execute(f"DELETE FROM rejects WHERE number IN ({marks})")
    outcome = append_batch(connection, batch, {}, catalog, ledger=ledger)
    connection.execute(
        "UPDATE rejects SET received_at = r.received_at FROM replayed r"
        " WHERE rejects.number > ? AND rejects.place = r.place AND rejects.nth = r.nth",
        [last],
    )
    connection.execute("DROP TABLE replayed")
    forget_requests(connection)
    return outcome


def _read(
    connection: duckdb.DuckDBPyConnection, conditions: Sequence[str], values: Sequence[Any], order: str
) -> list[Refused]:
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE {_all(conditions)} ORDER BY {order}", list(values)
    ).fetchall()
    return [
        Refused(number, code, app, source, _aware(at), item, place, nth, told)
        for number, code, app, source, at, item, place, nth, told in rows
    ]


def _conditions(asked: Asked) -> tuple[list[str], list[Any]]:
    told = {
        "app_key = ?": asked.app,
        "code = ?": asked.code,
        "received_at >= ?": naive(asked.since) if asked.since else None,
        "received_at < ?": naive(asked.until) if asked.until else None,
    }
    conditions = [condition for condition, value in told.items() if value is not None]
    if asked.numbers is not None:
        conditions.append(f"number IN ({', '.join(str(int(number)) for number in asked.numbers)})")
    return conditions, [value for value in told.values() if value is not None]


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)
