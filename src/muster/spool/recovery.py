"""Brings back what can be read of files that were set aside as damaged: into a slot of their own, to be drained (E-19).

The rows keep the file's name and their places: what the warehouse has already is found to be a repetition (C-19).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster.spool import files
from muster.spool.slots import MOST_SLOTS, NoSlotFree, Slot, slot_path, try_slot, used_slots

_ASIDE = "slot-[0-9][0-9].damaged-????????"
_READ = "SELECT seq, kind, call, received_at_us, app, source, trust, subject, items, body FROM batch WHERE"
# So many places are looked at one by one where nothing is read in order.
_MOST_GAP = 1_000_000
_UNREADABLE = "unreadable"

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Recovered:
    """Of one file set aside. `slot`: where its `requests` lie now, None if there were none. `kept`: what is left of the
    file where something of it could not be read."""

    file: str
    requests: int
    slot: int | None
    kept: str | None


def set_aside_files(directory: Path) -> list[Path]:
    """Those nobody has tried to read yet."""
    return sorted(directory.glob(_ASIDE))


def unreadable_files(directory: Path) -> list[Path]:
    """What was left of files of which not everything could be read."""
    return sorted(directory.glob(f"slot-[0-9][0-9].{_UNREADABLE}-????????"))


def set_damaged_aside(directory: Path) -> list[Path]:
    """Damaged files of slots that nobody holds; who holds one looks at its file itself when it begins."""
    found = []
    for number in used_slots(directory):
        slot = try_slot(directory, number)
        if slot is not None:
            with closing(_Held(slot)):
                if not files.is_sound(slot.path):
                    found.append(files.set_aside(slot.path))
    return found


def recover(directory: Path, drained: Mapping[str, int]) -> list[Recovered]:
    """Every file that was set aside; `drained`: by the name of a file how far the warehouse has it.

    `no_slot_free` if there is no slot to put rows into; may be repeated after a crash.
    """
    return [_recover(path, drained) for path in set_aside_files(directory)]


def _recover(path: Path, drained: Mapping[str, int]) -> Recovered:
    name, rows, is_whole = _rescued(path)
    rows = [row for row in rows if row[0] > drained.get(name, -1)]
    slot = _put(path.parent, name, rows) if rows else None
    if is_whole:
        files.remove(path)
        return Recovered(path.name, len(rows), slot, None)
    kept = path.with_name(path.name.replace("damaged", _UNREADABLE))
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{kept}{suffix}")
    return Recovered(path.name, len(rows), slot, kept.name)


class _Held:
    """A slot to be let go of by `closing`."""

    def __init__(self, slot: Slot) -> None:
        self.close = slot.release


def _rescued(path: Path) -> tuple[str, list[Row], bool]:
    """The file's name, what can be read, and whether that is all."""
    try:
        with closing(files.open_to_read(path)) as connection:
            name = _name_of(connection) or path.name
            found, is_whole = _in_order(connection, "seq > ? ORDER BY seq", -1)
            if not is_whole:
                later, _ = _in_order(connection, "seq < ? ORDER BY seq DESC", 2**62)
                found += [*_between(connection, found, later), *reversed(later)]
            return name, found, is_whole
    except sqlite3.DatabaseError:
        return path.name, [], False


def _name_of(connection: sqlite3.Connection) -> str | None:
    with suppress(sqlite3.DatabaseError, TypeError):
        return files.file_id(connection)
    return None


def _in_order(connection: sqlite3.Connection, which: str, begin: int) -> tuple[list[Row], bool]:
    """Row after row until one cannot be read; whether it came to the end."""
    found: list[Row] = []
    while True:
        try:
            rows = connection.execute(f"{_READ} {which} LIMIT 1", [found[-1][0] if found else begin]).fetchall()
        except sqlite3.DatabaseError:
            return found, False
        if not rows:
            return found, True
        found += rows


def _between(connection: sqlite3.Connection, found: list[Row], later: list[Row]) -> Iterator[Row]:
    """Place by place, what lies between the last that was read from the front and from the back."""
    first = found[-1][0] + 1 if found else 0
    behind = later[-1][0] if later else first + _MOST_GAP
    for seq in range(first, min(behind, first + _MOST_GAP)):
        with suppress(sqlite3.DatabaseError):
            yield from connection.execute(f"{_READ} seq = ?", [seq])


def _put(directory: Path, name: str, rows: list[Row]) -> int:
    """Into a slot that nobody holds and that has no file: whole or not at all."""
    slot = _empty_slot(directory)
    with closing(_Held(slot)):
        unfinished = slot.path.with_suffix(".recovering")
        files.remove(unfinished)
        with closing(files.open_to_write(unfinished, 1)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE about SET value = ? WHERE name = 'file'", [name])
            connection.executemany("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        unfinished.rename(slot.path)
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return slot.number


def _empty_slot(directory: Path) -> Slot:
    """From the last one: processes take the first."""
    for number in range(MOST_SLOTS, 0, -1):
        slot = try_slot(directory, number)
        if slot is None:
            continue
        if not slot_path(directory, number).exists():
            return slot
        slot.release()
    raise NoSlotFree(f"All {MOST_SLOTS} slots in {directory} are taken: stop an edge process first.")
