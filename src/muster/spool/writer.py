"""Appends to a slot's file: one thread, one transaction and one wait for the disk for all who wait (E-16)."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, TypeVar

from muster.spool import files
from muster.spool.entries import Entry
from muster.spool.slots import Slot

logger = logging.getLogger("muster.spool")

Ticket = TypeVar("Ticket")

MOST_ENTRIES = 512
MOST_BYTES = 4 * 1024**2
LARGEST_SPOOL_BYTES = 10 * 1024**3
LEAST_FREE_BYTES = 1024**3
_SECONDS_BETWEEN_LOOKS = 1.0
# What was drained leaves its bytes in free pages and in the log; an empty file is made anew, without them.
_SECONDS_BETWEEN_TIDYINGS = 60.0
# Rows that are forgotten in one transaction: nobody waits for it longer than for a commit.
_FORGET_AT_ONCE = 2_000

# Rows of one statement: its threads take turns with the event loop's once a statement, not once a row.
_MOST_ROWS = 64
_INSERT, _ROW = "INSERT INTO batch VALUES ", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class Settled(Generic[Ticket]):
    """What became of an entry: its place in the file, or None if it is not stored."""

    ticket: Ticket
    seq: int | None


class SpoolWriter(Generic[Ticket]):
    """Owns the file of a slot.

    `settle` is told, on the writer's thread, of everything that one commit stored or did not; `committed` is
    called after each that stored something, with how many and how many seconds it took.
    """

    def __init__(
        self,
        slot: Slot,
        settle: Callable[[Sequence[Settled[Ticket]]], None],
        committed: Callable[[int, float], None] = lambda _entries, _seconds: None,
        *,
        first_seq: int = 1,
        largest_bytes: int = LARGEST_SPOOL_BYTES,
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        self.slot = slot
        self._settle = settle
        self._committed = committed
        self._largest_bytes, self._least_free_bytes = largest_bytes, least_free_bytes
        self._connection = files.open_to_write(slot.path, first_seq)
        self.file_id = files.file_id(self._connection)
        self._seq = files.last_seq(self._connection)
        self._waiting: deque[tuple[Entry, Ticket]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._drained = self._forgotten = 0
        self.is_full = False
        # A process that died may have left something.
        self._lies_about = self._seq >= first_seq
        self._look()
        self._thread = threading.Thread(target=self._loop, name="spool", daemon=True)
        self._thread.start()

    def append(self, entry: Entry, ticket: Ticket) -> None:
        """Stores it with the next commit; `settle` tells when."""
        with self._changed:
            self._waiting.append((entry, ticket))
            self._changed.notify()

    def forget_until(self, seq: int) -> None:
        """The warehouse has everything up to this place."""
        with self._changed:
            self._drained = max(self._drained, seq)
            self._changed.notify()

    def close(self) -> None:
        """Commits what waits, and lets go of file and slot."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._connection.close()
        self.slot.release()

    def _loop(self) -> None:
        looked = time.monotonic()
        tidied = float("-inf")
        while True:
            taken = self._take()
            if taken:
                self._commit(taken)
            elif self._closing:
                return
            self._forget()
            if time.monotonic() - looked >= _SECONDS_BETWEEN_LOOKS:
                self._look()
                looked = time.monotonic()
            if not taken and self._lies_about and time.monotonic() - tidied >= _SECONDS_BETWEEN_TIDYINGS:
                self._tidy()
                tidied = time.monotonic()

    def _take(self) -> list[tuple[Entry, Ticket]]:
        with self._changed:
            if not self._waiting and not self._closing and self._drained <= self._forgotten:
                self._changed.wait(_SECONDS_BETWEEN_LOOKS)
            taken: list[tuple[Entry, Ticket]] = []
            size = 0
            while self._waiting and len(taken) < MOST_ENTRIES and size < MOST_BYTES:
                taken.append(self._waiting.popleft())
                size += len(taken[-1][0].body)
            return taken

    def _commit(self, taken: list[tuple[Entry, Ticket]]) -> None:
        first, begun = self._seq + 1, time.perf_counter()
        try:
            self._insert([(seq, *entry) for seq, (entry, _) in enumerate(taken, start=first)])
        except Exception as error:
            # The disk is full or fails: nobody is told that it is stored, and places are not used twice. Whatever else
            # it is, without this thread everybody would wait for ever.
            if not isinstance(error, sqlite3.Error):
                logger.exception("what came could not be stored")
            self._roll_back()
            self._settle([Settled(ticket, None) for _, ticket in taken])
            return
        self._seq += len(taken)
        self._settle([Settled(ticket, seq) for seq, (_, ticket) in enumerate(taken, start=first)])
        self._committed(len(taken), time.perf_counter() - begun)

    def _insert(self, rows: list[tuple[Any, ...]]) -> None:
        """All of them or none; a statement alone is a transaction."""
        if len(rows) <= _MOST_ROWS:
            self._insert_some(rows)
            return
        self._connection.execute("BEGIN IMMEDIATE")
        for begin in range(0, len(rows), _MOST_ROWS):
            self._insert_some(rows[begin : begin + _MOST_ROWS])
        self._connection.execute("COMMIT")

    def _insert_some(self, rows: Sequence[tuple[Any, ...]]) -> None:
        statement = _INSERT + ", ".join([_ROW] * len(rows))
        self._connection.execute(statement, list(chain.from_iterable(rows)))

    def _roll_back(self) -> None:
        # Of a disk that fails this may fail, too: those who wait are told all the same.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _forget(self) -> None:
        """Some of what was drained: the newest row stays out of it no longer than others wait."""
        if self._drained <= self._forgotten:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            gone = self._connection.execute(
                "DELETE FROM batch WHERE seq IN (SELECT seq FROM batch WHERE seq <= ? ORDER BY seq LIMIT ?)",
                [self._drained, _FORGET_AT_ONCE],
            ).rowcount
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            gone = 0
        self._lies_about = self._lies_about or bool(gone)
        if gone < _FORGET_AT_ONCE:
            self._forgotten = self._drained

    def _tidy(self) -> None:
        """C-46: bodies that were drained are not left lying about. In use or no room: another time."""
        with suppress(sqlite3.Error):
            self._lies_about = not files.shed(self._connection)

    def _look(self) -> None:
        """E-23: nothing that was accepted is ever dropped to make room. What cannot be looked at stays as it was: a
        disk that fails is told by the next commit."""
        with suppress(sqlite3.Error, OSError):
            used = files.used_bytes(self._connection, self.slot.path)
            free = shutil.disk_usage(self.slot.directory).free
            self.is_full = used > self._largest_bytes or free < self._least_free_bytes
