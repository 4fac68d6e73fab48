"""One process owns an installation: a lock on a file, gone with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muster.kernel.errors import MusterError


@contextmanager
def owned(path: Path, patience_seconds: float = 0) -> Iterator[None]:
    """Holds the lock file; `installation_in_use` names the process that does and goes on doing so."""
    deadline = time.monotonic() + patience_seconds
    with path.open("a+", encoding="ascii") as lock:
        while not _try_lock(lock.fileno()):
            if time.monotonic() >= deadline:
                message = f"Process {_owner(path)} owns the installation in {path.parent}. Stop it first."
                raise MusterError(message, code="installation_in_use")
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def owner_of(path: Path) -> str | None:
    """The process that holds the lock file now; None if nobody does."""
    if not path.exists():
        return None
    with path.open("r", encoding="ascii") as lock:
        return None if _try_lock(lock.fileno()) else _owner(path)


def _owner(path: Path) -> str:
    with path.open(encoding="ascii") as lock:
        return lock.read(20).strip() or "?"


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
