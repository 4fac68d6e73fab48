"""Has anybody else stored anything? Asked many times a second, so that what is kept in memory is right."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.db import connection

from muster.groups.models import Group

Standing = dict[str, tuple[int, int]]
"""Of every group its revision, and how often it was evaluated: whoever stores it anew changes one of them.

The small changes of who follows the data change neither (`actions/followed.py`).
"""


def standing() -> Standing:
    rows = Group.objects.values_list("id", "revision", "evaluations")
    return {identifier: (revision, evaluations) for identifier, revision, evaluations in rows}


Stamp = tuple[int, int, int]


def control_stamp() -> Stamp | None:
    """Changes whenever somebody, here or elsewhere, may have written the control database: microseconds, where it is
    SQLite. None: it cannot be told, ask again. Only stamps of one thread can be compared; those of two always differ.
    """
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        [(version,)] = cursor.execute("PRAGMA data_version").fetchall()
    raw: Any = connection.connection
    return (id(raw), int(version), raw.total_changes if isinstance(raw, sqlite3.Connection) else 0)
