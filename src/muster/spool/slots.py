"""Who writes which file: a process takes a free slot by a lock that goes with it, however it ends (E-2)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from muster.kernel.errors import MusterError

MOST_SLOTS = 64


class NoSlotFree(MusterError):
    code = "no_slot_free"


@dataclass
class Slot:
    """One file of the spool, owned until `release`."""

    directory: Path
    number: int
    _lock: int

    @property
    def path(self) -> Path:
        return slot_path(self.directory, self.number)

    def release(self) -> None:
        os.close(self._lock)


def slot_path(directory: Path, number: int) -> Path:
    return directory / f"slot-{number:02}.sqlite3"


def take_slot(directory: Path) -> Slot:
    """The first free slot; `no_slot_free` beyond 64 processes."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in range(1, MOST_SLOTS + 1):
        slot = try_slot(directory, number)
        if slot is not None:
            return slot
    raise NoSlotFree(f"All {MOST_SLOTS} slots in {directory} are taken: stop an edge process first.")


def try_slot(directory: Path, number: int) -> Slot | None:
    """This slot, or None if another process has it."""
    lock = os.open(directory / f"slot-{number:02}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return Slot(directory, number, lock)


@contextmanager
def all_slots(directory: Path) -> Iterator[bool]:
    """Holds every slot; False if some process has one. Nothing is accepted anywhere meanwhile."""
    with ExitStack() as held:
        if not directory.exists():
            yield True
            return
        for number in range(1, MOST_SLOTS + 1):
            slot = try_slot(directory, number)
            if slot is None:
                yield False
                return
            held.callback(slot.release)
        yield True


def used_slots(directory: Path) -> list[int]:
    """Numbers of the slots that have a file."""
    return sorted(int(path.stem.removeprefix("slot-")) for path in directory.glob("slot-[0-9][0-9].sqlite3"))
