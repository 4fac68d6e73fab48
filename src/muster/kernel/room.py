"""Whether an error means that the disk is full, whoever met it: the system, SQLite or DuckDB."""

from __future__ import annotations

import errno

from muster.kernel.errors import MusterError
from muster.kernel.worded import worded

# EFBIG: a limit on the size of files (RLIMIT_FSIZE) is to a process what a full disk is.
_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# The engines pass on what the system said, as text.
_SENTENCES = ("No space left on device", "Disk quota exceeded", "File too large", "database or disk is full")
_ENGINES = frozenset({"duckdb", "_duckdb", "sqlite3", "django"})
_MESSAGE = worded(
    "There is no room left on the disk of the installation. What was stored before is unharmed; make room, then do"
    " this again."
)


class DiskFull(MusterError):
    code = "disk_full"


def disk_full(error: BaseException) -> DiskFull | None:
    """The error in our words if it, or what it came from, says that there is no room."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if isinstance(current, DiskFull):
            return current
        if _says_so(current):
            full = DiskFull(_MESSAGE)
            full.__cause__ = error
            return full
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return None


def _says_so(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _ERRNOS
    if type(error).__module__.partition(".")[0] not in _ENGINES:
        return False
    text = str(error)
    return any(sentence in text for sentence in _SENTENCES)
