"""Which labels the category columns hold: asked once after each write, because conditions are put to labels first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import duckdb

MOST_LABELS = 200
_Question = Callable[[duckdb.DuckDBPyConnection], Sequence[str] | None]


class Categories:
    """Labels by (relation, column), remembered until something is written."""

    def __init__(self, ask: Callable[[_Question], Sequence[str] | None]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[int, Sequence[str] | None]] = {}

    def labels(self, relation: str, column: str, written: int) -> Sequence[str] | None:
        """The distinct labels as of the write number `written`; None if they are more than `MOST_LABELS`."""
        with self._lock:
            known = self._known.get((relation, column))
            if known is None or known[0] != written:
                known = self._known[relation, column] = (
                    written,
                    self._ask(lambda cursor: _labels(cursor, relation, column)),
                )
            return known[1]


def _labels(cursor: duckdb.DuckDBPyConnection, relation: str, column: str) -> Sequence[str] | None:
    rows = cursor.execute(
        f'SELECT DISTINCT "{column}" FROM "{relation}" WHERE "{column}" IS NOT NULL LIMIT {MOST_LABELS + 1}'
    ).fetchall()
    return None if len(rows) > MOST_LABELS else sorted(label for (label,) in rows)
