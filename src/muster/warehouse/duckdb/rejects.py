"""What was refused is kept with its verdict, and with what taking it once more takes (E-14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import duckdb

from muster.warehouse.batch import Tell
from muster.warehouse.duckdb.schema import get_meta, set_meta
from muster.warehouse.duckdb.scratch import count_of

_LAST = "last_reject"
"""In `meta`: the number given last. Numbers grow and are never used again."""
_REFUSED = "verdict IS NOT NULL AND verdict <> 'duplicate'"


def last_number(connection: duckdb.DuckDBPyConnection) -> int:
    return int(get_meta(connection, _LAST) or 0)


def next_numbers(connection: duckdb.DuckDBPyConnection, count: int) -> range:
    """So many numbers for what is refused now."""
    last = last_number(connection)
    set_meta(connection, _LAST, str(last + count))
    return range(last + 1, last + count + 1)


def keep_refused(connection: duckdb.DuckDBPyConnection, received_at: datetime, tell: Tell | None) -> None:
    """Those of `in_items`, with what was sent, unless that is of somebody who was erased."""
    count = count_of(connection, f"SELECT count(*) FROM in_items WHERE {_REFUSED}")
    if not count:
        return
    connection.execute(
        "INSERT INTO rejects BY NAME SELECT hash, verdict AS code, app_key, source, $at AS received_at, happened_at,"
        " CASE WHEN verdict <> 'erased' THEN body END AS item, $first + row_number() OVER (ORDER BY position) - 1"
        " AS number, CASE WHEN verdict <> 'erased' THEN place END AS place, nth"
        f" FROM in_items WHERE {_REFUSED}",
        {"at": received_at, "first": next_numbers(connection, count)[0]},
    )
    places = connection.execute(
        f"SELECT DISTINCT place FROM in_items WHERE {_REFUSED} AND verdict <> 'erased' AND place IS NOT NULL"
    ).fetchall()
    keep_requests(connection, [place for (place,) in places], tell)


def keep_requests(connection: duckdb.DuckDBPyConnection, places: Iterable[str], tell: Tell | None) -> None:
    """What is to be known of the requests at these places; of some it is there already."""
    asked = sorted(places)
    if tell is None or not asked:
        return
    marks = ", ".join("?" * len(asked))
    known = connection.execute(f"SELECT place FROM reject_requests WHERE place IN ({marks})", asked).fetchall()
    new = [[place, tell(place)] for place in asked if (place,) not in known]
    if new:
        connection.executemany("INSERT INTO reject_requests VALUES (?, ?)", new)


def forget_requests(connection: duckdb.DuckDBPyConnection) -> int:
    """Those of which nothing is refused any more; answers how many."""
    return _delete(connection, "reject_requests WHERE place NOT IN (SELECT place FROM rejects WHERE place IS NOT NULL)")


def drop_rejects(connection: duckdb.DuckDBPyConnection, which: str, parameters: Sequence[object] = ()) -> int:
    """Those of a condition, and the requests that leaves without any; answers how many items."""
    gone = _delete(connection, f"rejects WHERE {which}", parameters)
    if gone:
        forget_requests(connection)
    return gone


def _delete(connection: duckdb.DuckDBPyConnection, what: str, parameters: Sequence[object] = ()) -> int:
    [(count,)] = connection.execute(f"DELETE FROM {what}", list(parameters)).fetchall()
    return int(count)
