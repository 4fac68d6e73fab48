"""What an installation consists of on disk: the names that backups hold and restores put back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

CONTROL = "control.sqlite3"
SECRET_KEY = "secret.key"  # noqa: S105 - the file's name, not the key
STAMP = "version.json"
WAREHOUSE = "warehouse/warehouse.duckdb"
LEDGER = "ledger"
SPOOL = "spool"
# Everything below the home that a restore replaces; exports are made again for who asks, what the edge answers from by
# itself. Backups, lock and socket are the machine's, not the data's.
PARTS = (
    CONTROL, f"{CONTROL}-wal", f"{CONTROL}-shm", SECRET_KEY, STAMP, "warehouse", "membership", "lists", "imports",
    LEDGER, "exports", SPOOL, "online",
)  # fmt: skip  # a table, read by rows
_NAMES = re.compile(
    r"control\.sqlite3|secret\.key|version\.json"
    r"|warehouse/warehouse\.duckdb(\.wal)?"
    r"|membership/[a-z0-9_]{1,64}\.[0-9]{1,10}\.roaring"
    r"|lists/[a-z0-9_]{1,64}\.[0-9]{1,10}\.parquet"
    r"|imports/[A-Za-z0-9_-]{1,64}/(file|stage\.duckdb(\.wal)?)"
    r"|ledger/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}"
    r"|spool/slot-[0-9]{2}\.sqlite3"
)
_STAMP = "%Y%m%dT%H%M%SZ"


def is_part(name: str) -> bool:
    """Whether a backup may hold a file of this name."""
    return _NAMES.fullmatch(name) is not None


def names_below(home: Path) -> Iterator[str]:
    """Every file below a home that a backup would hold, in a fixed order."""
    for part in PARTS:
        path = home / part
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in files:
            name = file.relative_to(home).as_posix()
            if file.is_file() and not file.is_symlink() and is_part(name):
                yield name


def stamp(at: datetime) -> str:
    """An instant as it stands in names of files."""
    return at.astimezone(UTC).strftime(_STAMP)


def stamped_at(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def sync_directory(directory: Path) -> None:
    """Makes what was created, renamed and removed in it durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, text: str) -> None:
    """Replaces a small file: whoever reads it, after a crash too, sees the old text or the new."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_directory(path.parent)
