"""Which errors mean that the disk is full."""

from __future__ import annotations

import errno
import sqlite3

import duckdb
import pytest
from django.db.utils import OperationalError

from muster.kernel.room import DiskFull, disk_full


def _wrapped(inner: Exception) -> Exception:
    try:
        try:
            raise inner
        except Exception as cause:
            raise RuntimeError("outer") from cause
    except RuntimeError as outer:
        return outer


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        sqlite3.OperationalError("database or disk is full"),
        OperationalError("database or disk is full"),
        duckdb.IOException('Could not write file "x": No space left on device'),
        duckdb.FatalException("FATAL Error: ... Original error: ... No space left on device"),
        DiskFull("full"),
        _wrapped(OSError(errno.ENOSPC, "No space left on device")),
    ],
)
def test_full_disk_is_recognised(error: Exception) -> None:
    found = disk_full(error)
    assert found is not None
    assert found.code == "disk_full"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied"),
        sqlite3.OperationalError("database is locked"),
        duckdb.IOException("Could not set lock on file"),
        # What people wrote is no error of the system's.
        ValueError("No space left on device"),
        RuntimeError("database or disk is full"),
    ],
)
def test_other_errors_are_not(error: Exception) -> None:
    assert disk_full(error) is None
