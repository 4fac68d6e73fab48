"""Reads what the slots hold and the warehouse has not: for the drain, which never writes to them (E-18, E-19)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from muster.spool import files
from muster.spool.entries import Entry, Spooled
from muster.spool.slots import slot_path, try_slot, used_slots

_AFTER = (
    "SELECT seq, kind, call, received_at_us, app, source, trust, subject, items, body FROM batch WHERE seq > ?"
    " ORDER BY seq LIMIT ?"
)


@dataclass(frozen=True)
class Cursor:
    """How far a slot is drained: everything of this file up to this place."""

    file: str
    seq: int


@dataclass(frozen=True)
class Waiting:
    """Entries of one slot behind its cursor, in their order."""

    slot: int
    file: str
    rows: list[Spooled]


class SpoolReader:
    """The slots of one directory, each file open while it is there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[int, tuple[int, sqlite3.Connection]] = {}

    def close(self) -> None:
        for _, connection in self._open.values():
            connection.close()
        self._open.clear()

    def waiting(self, cursors: Mapping[int, Cursor], limit: int) -> list[Waiting]:
        """Up to `limit` entries of each slot. A file that cannot be read now is left for later."""
        found = []
        for slot in used_slots(self._directory):
            with suppress(sqlite3.Error):
                connection = self._connection(slot)
                if connection is not None:
                    found.append(_read(slot, connection, cursors.get(slot), limit))
        return found

    def newest(self) -> dict[int, Cursor]:
        """The last entry that lies in each slot, drained or not; nothing of a slot in which none does."""
        found = {}
        for slot in used_slots(self._directory):
            connection = self._connection(slot)
            if connection is not None:
                [(seq,)] = connection.execute("SELECT max(seq) FROM batch").fetchall()
                if seq is not None:
                    found[slot] = Cursor(files.file_id(connection), seq)
        return found

    def holds(self, places: Mapping[int, Cursor]) -> bool:
        """Whether anything up to these places lies there still. By places, not by times: clocks are set back."""
        for slot, cursor in places.items():
            connection = self._connection(slot)
            if connection is not None and cursor.file == files.file_id(connection):
                rows = connection.execute("SELECT 1 FROM batch WHERE seq <= ? LIMIT 1", [cursor.seq]).fetchall()
                if rows:
                    return True
        return False

    def drained_bodies(self, cursors: Mapping[int, Cursor]) -> Iterator[bytes]:
        """What the warehouse has and whoever wrote it has not let go of yet."""
        for slot in used_slots(self._directory):
            connection = self._connection(slot)
            cursor = cursors.get(slot)
            if connection is not None and cursor is not None and cursor.file == files.file_id(connection):
                rows = connection.execute("SELECT body FROM batch WHERE seq <= ?", [cursor.seq])
                yield from (bytes(body) for (body,) in rows)

    def sweep(self, cursors: Mapping[int, Cursor]) -> list[int]:
        """Removes files that nobody writes and that are drained; answers their slots."""
        return [slot for slot in used_slots(self._directory) if self._swept(slot, cursors.get(slot))]

    def _swept(self, number: int, cursor: Cursor | None) -> bool:
        slot = try_slot(self._directory, number)
        if slot is None:
            return False
        try:
            connection = self._connection(number)
            if connection is None or _read(number, connection, cursor, 1).rows:
                return False
            self._let_go(number)
            files.remove(slot.path)
            return True
        except sqlite3.Error:
            return False
        finally:
            slot.release()

    def _connection(self, slot: int) -> sqlite3.Connection | None:
        """Of the file that stands there now: another may have taken its place."""
        path = slot_path(self._directory, slot)
        try:
            inode = path.stat().st_ino
        except FileNotFoundError:
            self._let_go(slot)
            return None
        known = self._open.get(slot)
        if known is not None and known[0] == inode:
            return known[1]
        self._let_go(slot)
        connection = files.open_to_read(path)
        self._open[slot] = (inode, connection)
        return connection

    def _let_go(self, slot: int) -> None:
        known = self._open.pop(slot, None)
        if known is not None:
            known[1].close()


def _read(slot: int, connection: sqlite3.Connection, cursor: Cursor | None, limit: int) -> Waiting:
    file = files.file_id(connection)
    after = cursor.seq if cursor is not None and cursor.file == file else -1
    rows = connection.execute(_AFTER, [after, limit]).fetchall()
    return Waiting(slot, file, [Spooled(row[0], Entry(*row[1:])) for row in rows])
