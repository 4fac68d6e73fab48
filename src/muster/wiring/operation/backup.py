"""Making backups, listing them, and removing those that have become too old."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from muster.kernel.room import DiskFull
from muster.warehouse.port import Warehouse
from muster.wiring.configuration import Configuration
from muster.wiring.operation.archive import Manifest, extract_archive, write_archive
from muster.wiring.operation.layout import CONTROL, WAREHOUSE, names_below, stamp, stamped_at, sync_directory
from muster.wiring.operation.snapshot import Snapshot, snapshot_of, snapshot_of_closed
from muster.wiring.operation.stamp import this_version

_NAME = re.compile(r"(?P<made>muster|before-[0-9A-Za-z.+-]{1,64})-(?P<at>\d{8}T\d{6}Z)\.tar\.zst")
ASIDE = re.compile(r"before-restore-(?P<at>\d{8}T\d{6}Z)")
UNFINISHED = ".unfinished"
# Others go on writing while a backup is made.
_SPARE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Backup:
    """`made`: `asked` for, by a person or at night, or `upgrade`: before one."""

    name: str
    made: str
    created_at: datetime
    bytes: int


def make_backup(
    configuration: Configuration, warehouse: Warehouse, progress: Callable[[int, int], None] = lambda _, __: None
) -> Backup:
    """Of the running installation. `progress`: bytes done and in all; what it raises ends it without a trace."""
    check_room(configuration, copies_warehouse=True)
    return _make(
        configuration,
        lambda directory: snapshot_of(configuration.home, warehouse, directory),
        "muster",
        warehouse.schema_version,
        progress,
    )


def make_backup_before(configuration: Configuration, upgrade_to: str, warehouse_schema: int) -> Backup:
    """Of an installation that is not open, whatever Muster wrote it: its files as they are."""
    check_room(configuration, copies_warehouse=False)
    return _make(
        configuration,
        lambda directory: snapshot_of_closed(configuration.home, directory),
        f"before-{upgrade_to}",
        warehouse_schema,
        lambda _, __: None,
    )


def _make(
    configuration: Configuration,
    take: Callable[[Path], Snapshot],
    prefix: str,
    warehouse_schema: int,
    progress: Callable[[int, int], None],
) -> Backup:
    directory = configuration.backup_directory
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    laid_out = directory / f"files{UNFINISHED}"
    unfinished = directory / f"backup{UNFINISHED}"
    sweep_unfinished(directory)
    try:
        snapshot = take(laid_out)
        sizes = snapshot.sizes
        total = 2 * sum(sizes.values())
        manifest = Manifest(
            this_version(), snapshot.at, control_schema(), warehouse_schema, sizes, missing=snapshot.missing
        )
        sources = {name: snapshot.directory / name for name in sizes}
        write_archive(unfinished, manifest, sources, lambda done: progress(done, total))
        # What was never read back is no backup.
        extract_archive(unfinished, None, lambda done: progress(total // 2 + done, total))
        return _put(unfinished, directory, prefix, snapshot.at)
    finally:
        sweep_unfinished(directory)


def _put(unfinished: Path, directory: Path, prefix: str, at: datetime) -> Backup:
    while (path := directory / f"{prefix}-{stamp(at)}.tar.zst").exists():
        # Names are by the second; two backups of one second are one too many.
        at += timedelta(seconds=1)
    unfinished.rename(path)
    sync_directory(directory)
    return backup_at(path)


def backup_at(path: Path) -> Backup:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    at = stamped_at(match["at"])
    assert at is not None
    return Backup(path.name, "asked" if match["made"] == "muster" else "upgrade", at, path.stat().st_size)


def backups(directory: Path) -> list[Backup]:
    """Newest first."""
    paths = list(directory.iterdir()) if directory.exists() else []
    found = [backup_at(path) for path in paths if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda one: (one.created_at, one.name), reverse=True)


def age_out(configuration: Configuration, now: datetime) -> list[str]:
    """Removes backups, and installations that restores moved aside, older than `backup_days`; answers their names.

    Also the last one: whoever was erased is in it.
    """
    border = now - timedelta(days=configuration.backup_days)
    gone = []
    for backup in backups(configuration.backup_directory):
        if backup.created_at < border:
            (configuration.backup_directory / backup.name).unlink(missing_ok=True)
            gone.append(backup.name)
    for path in configuration.home.iterdir():
        match = ASIDE.fullmatch(path.name)
        at = stamped_at(match["at"]) if match else None
        if at is not None and at < border:
            shutil.rmtree(path)
            gone.append(path.name)
    return sorted(gone)


def sweep_unfinished(directory: Path) -> None:
    """What a backup that was killed left behind."""
    for path in directory.glob(f"*{UNFINISHED}"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def check_room(configuration: Configuration, *, copies_warehouse: bool) -> None:
    """`disk_full` before a backup takes the room that imports need. Counts as if nothing could be compressed."""
    size = sum((configuration.home / name).stat().st_size for name in names_below(configuration.home))
    copied = configuration.home / WAREHOUSE
    if copies_warehouse and copied.exists():
        size += copied.stat().st_size
    if (control := configuration.home / CONTROL).exists():
        size += control.stat().st_size
    configuration.backup_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(configuration.backup_directory).free
    if free < size + _SPARE_BYTES:
        raise DiskFull(
            f"A backup may need {size + _SPARE_BYTES:,} bytes, and {configuration.backup_directory} has {free:,} left."
            " Make room, or move older backups elsewhere."
        )


def control_schema() -> dict[str, str]:
    """The newest migration that was applied, by app."""
    found: dict[str, str] = {}
    for app, name in MigrationRecorder(connection).applied_migrations():
        found[app] = max(name, found.get(app, ""))
    return found
