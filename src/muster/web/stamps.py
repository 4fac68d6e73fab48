"""Has anybody else stored anything? Asked many times a second, so that what is kept in memory is right."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.db import connection

Stamp = tuple[Any, int, int]
"""The connection itself, how often others have committed, and how many rows it has changed."""


def control_stamp() -> Stamp | None:
    """Changes whenever somebody, here or elsewhere, may have written the control database: microseconds, where it is
    SQLite. None: it cannot be told, ask again. Only stamps of one thread can be compared; those of two always differ.
    What was read inside a transaction that was then rolled back has the same stamp, and is not so.
    """
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        [(version,)] = cursor.execute("PRAGMA data_version").fetchall()
    return (connection.connection, int(version), _own_changes())


def own_stamp(stamp: Stamp) -> Stamp:
    """The same, if nobody but this connection has written anything since."""
    return (stamp[0], stamp[1], _own_changes())


def _own_changes() -> int:
    """How many rows this connection has changed so far."""
    raw: Any = connection.connection
    return raw.total_changes if isinstance(raw, sqlite3.Connection) else 0
