"""All files of an installation as they are at one instant, laid out in a directory beside it (ADR 0017)."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from django.db import connections

from muster.customers.queries import import_states
from muster.customers.terms import ImportState
from muster.groups.queries.pointers import current_generations, current_lists, kept_lists
from muster.groups.terms import UNDO_DAYS
from muster.kernel.clock import system_clock
from muster.warehouse.port import Warehouse
from muster.wiring.operation.layout import CONTROL, LEDGER, SECRET_KEY, SPOOL, STAMP, WAREHOUSE, names_below

# Two refreshes of one group between the copy of the database and the links: once is rare, so often is damage.
_MOST_TRIES = 5
_ALIAS = "snapshot"


@dataclass(frozen=True)
class Snapshot:
    """`names`: what a backup of it holds, below `directory`. `missing`: what rows point to and is not there."""

    directory: Path
    at: datetime
    names: list[str]
    missing: list[str] = field(default_factory=list)

    @property
    def sizes(self) -> dict[str, int]:
        return {name: (self.directory / name).stat().st_size for name in self.names}


def snapshot_of(home: Path, warehouse: Warehouse, directory: Path) -> Snapshot:
    """Of a running installation: everything at the instant in which the warehouse's writer stands still."""
    for attempt in range(1, _MOST_TRIES + 1):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True, mode=0o700)
        taken_at: list[datetime] = []

        def others(taken_at: list[datetime] = taken_at) -> None:
            taken_at.append(system_clock())
            copy_database(home / CONTROL, directory / CONTROL)
            _copy_spool(home, directory)
            _link_files(home, directory)

        warehouse.copy_to(directory / "warehouse", others)
        names, missing = _wanted(directory, taken_at[0])
        if not missing or attempt == _MOST_TRIES:
            return Snapshot(directory, taken_at[0], names, missing)
    raise AssertionError("unreachable")


def snapshot_of_closed(home: Path, directory: Path) -> Snapshot:
    """Of an installation that this process owns and has not opened: its files as they are, whatever wrote them."""
    directory.mkdir(parents=True, mode=0o700)
    copy_database(home / CONTROL, directory / CONTROL)
    _copy_spool(home, directory)
    _link_files(home, directory)
    for name in (WAREHOUSE, f"{WAREHOUSE}.wal"):
        if (home / name).exists():
            _link(home / name, directory / name)
    return Snapshot(directory, system_clock(), list(names_below(directory)))


def copy_database(source: Path, target: Path) -> None:
    """SQLite's own copy of a database that others may be writing to: all of one instant, log included."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    # By no name of its own may the source come into being here.
    with (
        closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy)


def _copy_spool(home: Path, directory: Path) -> None:
    """What was accepted and the warehouse, as it is copied, has not: it says how far it has each file."""
    for name in names_below(home):
        if name.startswith(f"{SPOOL}/"):
            (directory / SPOOL).mkdir(exist_ok=True, mode=0o700)
            # A file that was drained and that nobody writes may be swept away.
            with suppress(FileNotFoundError, sqlite3.OperationalError):
                copy_database(home / name, directory / name)


def _link_files(home: Path, directory: Path) -> None:
    """Links what never changes once it stands under its name, and copies what does."""
    for name in names_below(home):
        if name in (CONTROL, WAREHOUSE, f"{WAREHOUSE}.wal") or name.startswith(f"{SPOOL}/"):
            continue
        # It may be gone by now, replaced by what a newer row points to.
        with suppress(FileNotFoundError):
            if name in (SECRET_KEY, STAMP) or name.startswith(f"{LEDGER}/"):
                _copy(home / name, directory / name)
            else:
                _link(home / name, directory / name)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        # Another disk, or a file system without links.
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(source, target)


def _wanted(directory: Path, at: datetime) -> tuple[list[str], list[str]]:
    """Of everything that was laid out, what the copied rows point to; and what they point to in vain."""
    with _opened(directory / CONTROL) as alias:
        members = {f"membership/{group}.{number}.roaring" for group, number in current_generations(alias).items()}
        lists = {f"lists/{group}.{version}.parquet" for group, version in current_lists(alias).items()}
        undo = {
            f"lists/{group}.{version}.parquet"
            for group, versions in kept_lists(at - UNDO_DAYS - timedelta(days=1), alias).items()
            for version in versions
        }
        states = import_states(alias)
    pointed = members | lists | undo
    there = list(names_below(directory))
    wanted = [name for name in there if _is_wanted(name, pointed, states)]
    return wanted, sorted((members | lists) - set(wanted))


def _is_wanted(name: str, pointed: set[str], states: dict[str, str]) -> bool:
    kind, _, rest = name.partition("/")
    if kind in ("membership", "lists"):
        return name in pointed
    if kind == "imports":
        identifier, _, file = rest.partition("/")
        # A stage that is being filled is filled again by whoever goes on with it.
        return identifier in states and (file == "file" or states[identifier] != ImportState.CHECKING)
    return True


@contextmanager
def _opened(database: Path) -> Iterator[str]:
    """The copy under an alias of Django's, so that rooms can be asked about it."""
    connections.databases[_ALIAS] = {
        **connections.databases["default"],
        "NAME": database,
        # The log mode of the original would leave files beside the copy.
        "OPTIONS": {"init_command": "PRAGMA query_only=ON;"},
    }
    try:
        yield _ALIAS
    finally:
        connections[_ALIAS].close()
        del connections[_ALIAS]
        del connections.databases[_ALIAS]
