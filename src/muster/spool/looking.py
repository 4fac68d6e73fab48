"""What lies in the spool, for people: how much waits where, and the newest of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from muster.spool import files
from muster.spool.entries import Entry
from muster.spool.reading import Cursor
from muster.spool.slots import slot_path, try_slot, used_slots

_WAITING = "SELECT count(*), sum(items), sum(length(body)), min(received_at_us) FROM batch WHERE seq > ?"
_NEWEST = (
    "SELECT seq, kind, call, received_at_us, app, source, trust, subject, items, body FROM batch ORDER BY seq DESC"
    " LIMIT ?"
)


@dataclass(frozen=True)
class SlotLook:
    """`held`: whether a process writes it. The warehouse has everything up to `drained`; of what waits behind it the
    oldest came at `oldest_us` (epoch, microseconds). `readable` False: nothing is known of what is in it."""

    slot: int
    held: bool
    readable: bool
    bytes: int
    drained: int | None
    requests: int
    items: int
    body_bytes: int
    oldest_us: int | None


@dataclass(frozen=True)
class Lying:
    """One request that lies there; `drained`: the warehouse has it already."""

    slot: int
    seq: int
    drained: bool
    entry: Entry


def look(directory: Path, cursors: Mapping[int, Cursor]) -> list[SlotLook]:
    """Slot by slot."""
    return [_look(directory, slot, cursors.get(slot)) for slot in used_slots(directory)]


def _look(directory: Path, number: int, cursor: Cursor | None) -> SlotLook:
    path = slot_path(directory, number)
    drained, requests, items, body_bytes, oldest = None, 0, 0, 0, None
    readable = False
    with suppress(sqlite3.Error, TypeError), _open(path) as connection:
        drained = _drained(connection, cursor)
        [(requests, items, body_bytes, oldest)] = connection.execute(
            _WAITING, [-1 if drained is None else drained]
        ).fetchall()
        readable = True
    size = sum(one.stat().st_size for one in (path, Path(f"{path}-wal")) if one.exists())
    held = _is_held(directory, number)
    return SlotLook(number, held, readable, size, drained, requests, items or 0, body_bytes or 0, oldest)


def newest(directory: Path, cursors: Mapping[int, Cursor], count: int) -> list[Lying]:
    """Newest first, over all slots; files that cannot be read now are left out."""
    found: list[Lying] = []
    for slot in used_slots(directory):
        with suppress(sqlite3.Error, TypeError), _open(slot_path(directory, slot)) as connection:
            drained = _drained(connection, cursors.get(slot))
            for row in connection.execute(_NEWEST, [count]).fetchall():
                found.append(Lying(slot, row[0], drained is not None and row[0] <= drained, Entry(*row[1:])))
    return sorted(found, key=lambda one: (one.entry.received_at_us, one.slot, one.seq), reverse=True)[:count]


def _drained(connection: sqlite3.Connection, cursor: Cursor | None) -> int | None:
    return cursor.seq if cursor is not None and cursor.file == files.file_id(connection) else None


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(files.open_to_read(path)) as connection:
        yield connection


def _is_held(directory: Path, number: int) -> bool:
    slot = try_slot(directory, number)
    if slot is None:
        return True
    slot.release()
    return False
