"""The one thread that writes: DuckDB answers concurrent writers with conflicts, so writes queue up here."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

import duckdb

from muster.kernel.room import disk_full

T = TypeVar("T")
Write = Callable[[duckdb.DuckDBPyConnection], T]


class Writer:
    """Runs each submitted function in a transaction of its own, in order of submission.

    `connect` opens its connection; `renew` makes the database usable again after DuckDB has given it up.
    """

    def __init__(self, connect: Callable[[], duckdb.DuckDBPyConnection], renew: Callable[[], None]) -> None:
        self._connect = connect
        self._renew = renew
        self._connection = connect()
        self._broken = False
        self.written = 0
        """How many writes were committed: whoever remembers what it read compares this."""
        self.commits = 0
        """How many commits were begun: what was read while this stood still holds no part of a later one."""
        self._queue: queue.SimpleQueue[tuple[Write[Any], Future[Any], bool] | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="warehouse-writer", daemon=True)
        self._thread.start()

    def submit(self, write: Write[T]) -> Future[T]:
        """The future of `write(connection)`: committed when it is done, rolled back when it raised."""
        return self._enqueue(write, in_transaction=True)

    def submit_alone(self, write: Write[T]) -> Future[T]:
        """Like `submit`, for what DuckDB refuses inside a transaction."""
        return self._enqueue(write, in_transaction=False)

    def _enqueue(self, write: Write[T], *, in_transaction: bool) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the warehouse is closed")
            self._queue.put((write, future, in_transaction))
        return future

    def close(self) -> None:
        """Finishes what was submitted, then stops the thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            write, future, in_transaction = job
            if future.set_running_or_notify_cancel():
                self._answer(write, future, in_transaction)

    def _answer(self, write: Write[Any], future: Future[Any], in_transaction: bool) -> None:
        try:
            if self._broken:
                self._mend()
            answer = self._transaction(write) if in_transaction else write(self._connection)
        except BaseException as error:  # whatever went wrong belongs to who waits for the future
            if isinstance(error, duckdb.FatalException):
                self._broken = True
                # Readers need it again at once; if there is no room yet, the next write tries again.
                with suppress(Exception):
                    self._mend()
            future.set_exception(disk_full(error) or error)
        else:
            future.set_result(answer)

    def _mend(self) -> None:
        """A checkpoint that finds no room makes DuckDB refuse everything until the file is opened anew."""
        with suppress(duckdb.Error):
            self._connection.close()
        self._renew()
        self._connection = self._connect()
        self._broken = False

    def _transaction(self, write: Write[T]) -> T:
        self._connection.begin()
        try:
            answer = write(self._connection)
        except BaseException:
            # A transaction that DuckDB itself gave up is not there any more.
            with suppress(duckdb.Error):
                self._connection.rollback()
            raise
        self.commits += 1
        self._connection.commit()
        self.written += 1
        return answer
