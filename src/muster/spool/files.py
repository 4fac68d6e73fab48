"""The SQLite file of one slot: its tables, and what becomes of one that is damaged."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

# A reader or a checkpoint holds it for milliseconds.
_PATIENCE_SECONDS = 10
# Beyond what a damaged file may have held.
_GAP_AFTER_DAMAGE = 1_000_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS batch (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, call TEXT, received_at_us INTEGER NOT NULL,
    app INTEGER NOT NULL, source INTEGER NOT NULL, trust INTEGER NOT NULL, subject TEXT, items INTEGER NOT NULL,
    body BLOB NOT NULL);
"""


def open_to_write(path: Path, first_seq: int) -> sqlite3.Connection:
    """The slot's file, made if there is none; one that is damaged is set aside and a new one begun (E-19).

    `first_seq`: where the places of a new file begin, so that no place of the slot is used twice.
    """
    if path.exists() and not is_sound(path):
        set_aside(path)
        first_seq += _GAP_AFTER_DAMAGE
    connection = _connect(path)
    # One write for what is answered together; what was drained is overwritten.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=FAST", "wal_autocheckpoint=2000"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    with _transaction(connection):
        connection.execute("INSERT OR IGNORE INTO about VALUES ('file', ?)", [secrets.token_hex(8)])
        begun = connection.execute("SELECT count(*) FROM sqlite_sequence WHERE name = 'batch'").fetchone()[0]
        if not begun:
            connection.execute("INSERT INTO sqlite_sequence VALUES ('batch', ?)", [first_seq - 1])
    _sync_directory(path.parent)
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """For the drain: it may recover a log that a dead process left, and changes nothing."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    # Used by one thread at a time, begun by another.
    return sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def is_sound(path: Path) -> bool:
    try:
        with contextlib.closing(_connect(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def set_aside(path: Path) -> Path:
    """Renames file and log; answers the new name."""
    aside = path.with_name(f"{path.stem}.damaged-{secrets.token_hex(4)}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    return aside


def remove(path: Path) -> None:
    for suffix in ("-wal", "-shm", ""):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def file_id(connection: sqlite3.Connection) -> str:
    """Names this file for ever: places of another that stood under the same name are not its own."""
    return str(connection.execute("SELECT value FROM about WHERE name = 'file'").fetchone()[0])


def last_seq(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batch'").fetchone()[0])


def shed(connection: sqlite3.Connection) -> bool:
    """Makes an empty file and its log anew, so that nothing of what they held is left; False while it is not empty or a
    reader has it."""
    if connection.execute("SELECT 1 FROM batch LIMIT 1").fetchall():
        return False
    connection.execute("VACUUM")
    [(busy, _, _)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not busy


def used_bytes(connection: sqlite3.Connection, path: Path) -> int:
    """Pages in use and the log; what was drained is free again."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    log = Path(f"{path}-wal")
    return int((pages - free) * size + (log.stat().st_size if log.exists() else 0))


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
