"""One statement over all tables of a file: rows are written in whole pieces, by all threads, not table by table."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing

import duckdb
import pyarrow as pa

from muster.kernel.ahead import ahead
from muster.warehouse.duckdb.scratch import in_small_batches, registered

_SECONDS_A_PROGRESS = 0.2


def execute_over(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    name: str,
    tables: Iterable[pa.Table],
    schema: pa.Schema,
    progress: Callable[[int], None],
) -> None:
    """Executes the statement, to which the tables are relation `name`, once and in no particular order of rows.

    `progress` hears on this thread how many rows were read, and may raise to end it; what the tables raise is raised.
    """
    feed = _Feed(tables)
    with (
        closing(feed.batches()) as batches,
        registered(connection, name, pa.RecordBatchReader.from_batches(schema, batches)),
        ThreadPoolExecutor(1, "feed") as thread,
    ):
        running = thread.submit(connection.execute, statement)
        try:
            while not wait((running,), _SECONDS_A_PROGRESS).done:
                progress(feed.read)
        except BaseException:
            feed.stopped = True
            raise
    if feed.error is not None:
        raise feed.error
    running.result()
    progress(feed.read)


class _Feed:
    """Read by whichever thread of DuckDB is next, so errors are kept: it would tell no more than their text."""

    def __init__(self, tables: Iterable[pa.Table]) -> None:
        self._tables = tables
        self.read = 0
        self.error: BaseException | None = None
        self.stopped = False

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        try:
            with closing(ahead(self._tables)) as tables:
                for table in tables:
                    yield from in_small_batches(table).to_batches()
                    self.read += table.num_rows
                    if self.stopped:
                        return
        except Exception as error:
            self.error = error
            raise
