"""Putting a backup in the place of an installation, so that a crash leaves the old one or the new one (ADR 0017).

The backup is laid out beside the installation and verified; until then nothing is touched. Then a journal is written,
and from there whoever opens the installation next finishes the switch: the old parts go aside, the new ones in, and
the installation settles before anybody is let in. Every step may be repeated. None of this needs Django, whose settings
read the secret key that may be about to be replaced.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from muster.kernel.clock import system_clock
from muster.kernel.errors import InternalError, MusterError
from muster.kernel.room import DiskFull
from muster.spool.slots import all_slots
from muster.wiring.configuration import Configuration
from muster.wiring.operation.archive import Manifest, extract_archive, read_manifest
from muster.wiring.operation.errors import BackupTooNew, HomeNotEmpty
from muster.wiring.operation.layout import (
    CONTROL,
    LEDGER,
    PARTS,
    SECRET_KEY,
    WAREHOUSE,
    stamp,
    sync_directory,
    write_durably,
)
from muster.wiring.operation.stamp import is_newer
from muster.wiring.ownership import owned

JOURNAL = "restore.json"
_LAID_OUT = "restoring-"
_ASIDE, _IN, _SETTLE = "aside", "in", "settle"


@dataclass(frozen=True)
class Journal:
    """A switch under way. `phase`: aside, in, then settle; `aside`: where the old parts go, below the home."""

    phase: str
    laid_out: str
    aside: str


@dataclass(frozen=True)
class Restored:
    """`aside`: where the installation that was there before lies now, if there was one."""

    manifest: Manifest
    aside: Path | None

    def as_json(self, home: Path) -> dict[str, Any]:
        manifest = self.manifest
        return {
            "home": str(home),
            "created_at": manifest.created_at.isoformat(),
            "muster": manifest.muster,
            "files": len(manifest.sizes),
            "bytes": sum(manifest.sizes.values()),
            "missing": manifest.missing,
            "aside": None if self.aside is None else str(self.aside),
        }


def restore(
    configuration: Configuration,
    file: Path,
    *,
    replace: bool,
    warehouse_schema: int,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> Restored:
    """Switches the files; the installation settles when it is opened next. `warehouse_schema`: the newest known here.

    `installation_in_use`, `home_not_empty`, `backup_damaged`, `backup_too_new`, `disk_full`: nothing was touched then.
    """
    home = configuration.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with owned(configuration.lock), _nobody_accepts(configuration):
        finish_switch(home)
        sweep_restores(home)
        if not replace and ((home / CONTROL).exists() or (home / WAREHOUSE).exists()):
            raise HomeNotEmpty(
                f"There is an installation in {home}. Restore elsewhere (MUSTER_HOME), or give --replace to move it"
                " aside."
            )
        at = stamp(system_clock())
        laid_out = home / f"{_LAID_OUT}{at}"
        try:
            manifest = _lay_out(file, laid_out, warehouse_schema, progress)
            _keep_ledger(home / LEDGER, laid_out / LEDGER)
            _sync_tree(laid_out)
        except BaseException:
            shutil.rmtree(laid_out, ignore_errors=True)
            raise
        there = any((home / part).exists() for part in PARTS if part not in (SECRET_KEY, LEDGER))
        aside = f"before-restore-{at}"
        _write(home, Journal(_ASIDE, laid_out.name, aside))
        finish_switch(home)
        return Restored(manifest, home / aside if there else None)


@contextmanager
def _nobody_accepts(configuration: Configuration) -> Iterator[None]:
    """What an edge process accepted while its file is moved aside would be lost to whom it was answered."""
    with all_slots(configuration.spool_directory) as held:
        if not held:
            raise MusterError(
                f"An edge process is running in {configuration.home}. Stop `muster edge`, then restore again.",
                code="installation_in_use",
            )
        yield


def finish_switch(home: Path) -> None:
    """Goes on with a switch of files that was begun; the caller owns the installation. Does nothing otherwise."""
    journal = journal_of(home)
    if journal is None or journal.phase == _SETTLE:
        return
    laid_out, aside = home / journal.laid_out, home / journal.aside
    if journal.phase == _ASIDE:
        _move_aside(home, aside)
        _write(home, Journal(_IN, journal.laid_out, journal.aside))
    for part in PARTS:
        if (laid_out / part).exists():
            # In this phase whatever stands here is the old secret key, which nobody may ever miss.
            (laid_out / part).replace(home / part)
    with suppress(OSError):
        # There was nothing to move aside.
        aside.rmdir()
    sync_directory(home)
    _write(home, Journal(_SETTLE, journal.laid_out, journal.aside))
    shutil.rmtree(laid_out, ignore_errors=True)


def is_switching(home: Path) -> bool:
    """Whether files are still to be moved: nothing of the installation may be read before `finish_switch`."""
    journal = journal_of(home)
    return journal is not None and journal.phase != _SETTLE


def is_settling(home: Path) -> bool:
    """Whether a backup was put back and nobody has been let in since."""
    journal = journal_of(home)
    return journal is not None and journal.phase == _SETTLE


def note_settled(home: Path) -> None:
    (home / JOURNAL).unlink(missing_ok=True)
    sync_directory(home)
    sweep_restores(home)


def sweep_restores(home: Path) -> None:
    """Removes what a restore that was killed before its journal laid out; does nothing while one goes on."""
    if journal_of(home) is not None:
        return
    (home / f"{JOURNAL}.unfinished").unlink(missing_ok=True)
    for path in home.glob(f"{_LAID_OUT}*"):
        shutil.rmtree(path)


def journal_of(home: Path) -> Journal | None:
    try:
        document: dict[str, Any] = json.loads((home / JOURNAL).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    journal = Journal(**document)
    if journal.phase not in (_ASIDE, _IN, _SETTLE):
        raise InternalError(f"{home / JOURNAL} is of no phase known here")
    return journal


def _lay_out(file: Path, directory: Path, warehouse_schema: int, progress: Callable[[int, int], None]) -> Manifest:
    manifest = read_manifest(file)
    _check_known(manifest, warehouse_schema)
    total = sum(manifest.sizes.values())
    free = shutil.disk_usage(directory.parent).free
    if free < total:
        raise DiskFull(f"The backup needs {total:,} bytes, and {directory.parent} has {free:,} left. Make room.")
    directory.mkdir(mode=0o700)
    return extract_archive(file, directory, lambda done: progress(done, total))


def _check_known(manifest: Manifest, warehouse_schema: int) -> None:
    """`backup_too_new`: what this Muster could not open is not put in anybody's place."""
    newer = manifest.warehouse_schema > warehouse_schema or is_newer(manifest.muster)
    for app, name in manifest.control_schema.items():
        rooms = find_spec(f"muster.{app}") if app.isidentifier() else None
        if rooms is not None and name.isidentifier():
            newer = newer or find_spec(f"muster.{app}.migrations.{name}") is None
    if newer:
        raise BackupTooNew(f"Muster {manifest.muster} wrote this backup; restore it with that version or a newer one.")


def _keep_ledger(old: Path, new: Path) -> None:
    """Whoever was erased since the backup stays erased: ledgers are lines, and two are one by putting them together."""
    if not old.is_dir():
        return
    new.mkdir(exist_ok=True, mode=0o700)
    for file in sorted(one for one in old.iterdir() if one.is_file()):
        theirs = (new / file.name).read_bytes().splitlines() if (new / file.name).exists() else []
        # A last line that a crash cut short says nothing.
        ours = file.read_bytes().rpartition(b"\n")[0].splitlines()
        lines = dict.fromkeys([*theirs, *ours])
        with (new / file.name).open("wb") as merged:
            merged.writelines(line + b"\n" for line in lines)
            merged.flush()
            os.fsync(merged.fileno())
        (new / file.name).chmod(0o600)


def _move_aside(home: Path, aside: Path) -> None:
    aside.mkdir(exist_ok=True, mode=0o700)
    for part in PARTS:
        source, target = home / part, aside / part
        if not source.exists() or target.exists():
            continue
        if part == SECRET_KEY:
            # Other processes make a new one wherever they find none, so there is one at every moment.
            shutil.copyfile(source, target.with_suffix(".unfinished"))
            target.with_suffix(".unfinished").chmod(0o600)
            target.with_suffix(".unfinished").replace(target)
        else:
            source.rename(target)
    sync_directory(aside)
    sync_directory(home)


def _sync_tree(directory: Path) -> None:
    for folder, _, _ in os.walk(directory):
        sync_directory(Path(folder))


def _write(home: Path, journal: Journal) -> None:
    write_durably(home / JOURNAL, json.dumps(asdict(journal)) + "\n")
