"""A reader: one task's cursor, which compiles an unbound Ibis expression, runs it and answers Arrow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime

import duckdb
import ibis.expr.types as ir
import pyarrow as pa

from muster.warehouse.duckdb.moving import Moving, moving
from muster.warehouse.duckdb.occurrences import Occurrences
from muster.warehouse.errors import QueryInterruptedError
from muster.warehouse.port import MovingQuery

BATCH_ROWS = 65_536


class DuckDBReader:
    """Not shared between threads, but for `interrupt`, which ends the running and every later query of this reader."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, occurrences: Occurrences) -> None:
        self._cursor = cursor
        self._occurrences = occurrences
        self._stopped = threading.Event()

    def table(self, rows: ir.Table) -> pa.Table:
        return self.sql_table(self._occurrences.compile(rows))

    def batches(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        return self._batches(self._occurrences.compile(rows))

    def moving(self, rows: ir.Table, rows_then: ir.Table, now: datetime, then: datetime) -> Moving | None:
        return moving(self._occurrences.compile(rows), self._occurrences.compile(rows_then), now, then)

    def moved(self, query: MovingQuery, now: datetime) -> Iterator[pa.RecordBatch]:
        assert isinstance(query, Moving)
        return self._batches(query.sql(now))

    def _batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._query(sql).to_arrow_reader(BATCH_ROWS)
        except duckdb.InterruptException as error:
            raise _interrupted() from error
        except OSError as error:
            # What stops a stream of batches after its first comes through Arrow, as an error of its own.
            if self._stopped.is_set():
                raise _interrupted() from error
            raise

    def sql_table(self, sql: str) -> pa.Table:
        """For this backend's own queries."""
        try:
            return self._query(sql).to_arrow_table()
        except duckdb.InterruptException as error:
            raise _interrupted() from error

    def interrupt(self) -> None:
        self._stopped.set()
        self._cursor.interrupt()

    def _query(self, sql: str) -> duckdb.DuckDBPyRelation:
        # An interrupt between two queries finds nothing to stop in DuckDB; it must not be lost.
        if self._stopped.is_set():
            raise _interrupted()
        return self._cursor.sql(sql)


def _interrupted() -> QueryInterruptedError:
    return QueryInterruptedError("The query was stopped before it was done. Ask again.")
