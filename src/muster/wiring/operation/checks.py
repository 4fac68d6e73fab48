"""What `muster doctor` looks at: each check says where, what is the case, and what to do about it."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote

import duckdb
import pyarrow as pa
from django.db import connection

from muster.customers.hooks import current_warehouse
from muster.groups.queries.evaluation import list_files, membership_files
from muster.groups.queries.pointers import current_generations, current_lists
from muster.kernel.clock import system_clock
from muster.kernel.errors import InternalError, MusterError
from muster.spool.recovery import set_aside_files, unreadable_files
from muster.warehouse.duckdb.connection import FILE_NAME, stored_version
from muster.warehouse.duckdb.migrations import SCHEMA_VERSION
from muster.web.queries import jobs_page
from muster.webhooks.queries.attention import switched_off
from muster.webhooks.terms import DISABLED_TEXTS
from muster.wiring.configuration import Configuration
from muster.wiring.operation.backup import UNFINISHED, backups
from muster.wiring.operation.check import Check, State, check_home
from muster.wiring.operation.layout import CONTROL, SECRET_KEY, WAREHOUSE
from muster.wiring.operation.online_store import check_online_store
from muster.wiring.operation.stamp import this_version
from muster.wiring.operation.upgrade import pending_migrations
from muster.wiring.ownership import owned, owner_of

# A backup is made beside the data before it goes anywhere else.
_LEAST_FREE_BYTES = 1024**3
_LEAST_FREE_SHARE = 0.05
_OLDEST_BACKUP = timedelta(days=7)
_STUCK_AFTER = timedelta(hours=1)
_FAILED_WITHIN = timedelta(days=7)
_MOST_NAMED = 5


Examination = Callable[[Configuration], Iterator[Check]]


def examine(configuration: Configuration, *, inside: bool) -> list[Check]:
    """All checks. `inside`: this process has the installation open; otherwise it may be closed, or not even there."""
    found = [*_versions(), *check_home(configuration.home)]
    for examination in (_permissions, _disk):
        found += _guarded(examination, configuration)
    found += _guarded(lambda one: _owner(one, inside), configuration)
    control = _guarded(_control, configuration)
    found += control
    found += _guarded(lambda one: _warehouse(one, inside), configuration)
    if all(check.state != "failed" for check in control) and (configuration.home / CONTROL).exists():
        for examination in (_files, _jobs, _webhooks):
            found += _guarded(examination, configuration)
        found += _guarded(lambda one: check_online_store(one, inside=inside), configuration)
    for examination in (_unfinished, _spool, _backups):
        found += _guarded(examination, configuration)
    return found


def _guarded(examination: Examination, configuration: Configuration) -> list[Check]:
    """A check that cannot be made is a failed check, not the end of the examination."""
    try:
        return list(examination(configuration))
    except Exception as error:
        name = getattr(examination, "__name__", "").strip("_<>") or "check"
        reason = error.message if isinstance(error, MusterError) else f"{type(error).__name__}: {error}"
        return [Check(name, "failed", str(configuration.home), reason[:500], "The log of the server may say more.")]


def _versions() -> Iterator[Check]:
    engines = f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, SQLite {sqlite3.sqlite_version}"
    yield Check("versions", "ok", this_version(), f"Muster {this_version()}, {engines}, PyArrow {pa.__version__}")


def _permissions(configuration: Configuration) -> Iterator[Check]:
    wrong = []
    for path, most in (
        (configuration.home, 0o700),
        (configuration.home / SECRET_KEY, 0o600),
        (configuration.socket, 0o600),
        (configuration.backup_directory, 0o700),
        *((configuration.backup_directory / backup.name, 0o600) for backup in backups(configuration.backup_directory)),
    ):
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & ~most:
            wrong.append((path, mode, most))
    for path, mode, most in wrong:
        yield Check(
            "permissions", "failed", str(path), f"Others may read it (mode {mode:o}).", f"chmod {most:o} {path}"
        )
    if not wrong:
        yield Check("permissions", "ok", str(configuration.home), "Only its owner may read secrets and backups.")


def _disk(configuration: Configuration) -> Iterator[Check]:
    usage = shutil.disk_usage(configuration.home)
    warehouse = configuration.home / WAREHOUSE
    size = warehouse.stat().st_size if warehouse.exists() else 0
    message = (
        f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB are free; the warehouse has {size / 1e9:,.1f}."
    )
    if usage.free < min(_LEAST_FREE_BYTES, usage.total * _LEAST_FREE_SHARE) or usage.free < size:
        remedy = "Make room: imports and backups need about as much again as the warehouse has."
        state: State = "failed" if usage.free < _LEAST_FREE_BYTES // 10 else "warning"
        yield Check("disk", state, str(configuration.home), message, remedy)
    else:
        yield Check("disk", "ok", str(configuration.home), message)


def _owner(configuration: Configuration, inside: bool) -> Iterator[Check]:
    owner = owner_of(configuration.lock)
    if inside or owner is None:
        message = f"Process {owner} owns it and answers." if inside else "Nobody has it open."
        yield Check("owner", "ok", str(configuration.lock), message)
        return
    message = f"Process {owner} has it open and does not answer on {configuration.socket}."
    remedy = f"If it is no command that is just running, stop process {owner} and start `muster serve`."
    yield Check("owner", "warning", str(configuration.lock), message, remedy)


def _control(configuration: Configuration) -> Iterator[Check]:
    path = configuration.home / CONTROL
    if not path.exists():
        return
    remedy = "Restore a backup: `muster restore FILE --replace`."
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            faults = [row[0] for row in database.execute("PRAGMA integrity_check(20)")]
            orphans = database.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        yield Check("control_database", "failed", str(path), f"It cannot be read: {error}.", remedy)
        return
    if faults != ["ok"] or orphans:
        said = "; ".join(faults[:_MOST_NAMED]) if faults != ["ok"] else f"{len(orphans)} rows refer to nothing"
        yield Check("control_database", "failed", str(path), f"It is damaged: {said}.", remedy)
        return
    yield Check("control_database", "ok", str(path), "Whole.")
    if pending := pending_migrations():
        message = f"{len(pending)} migrations are pending: {', '.join(pending[:_MOST_NAMED])}."
        remedy = "`muster serve` makes a backup and applies them."
        yield Check("migrations", "warning", str(path), message, remedy)
    else:
        yield Check("migrations", "ok", str(path), "None is pending.")


def _warehouse(configuration: Configuration, inside: bool) -> Iterator[Check]:
    path = configuration.warehouse_directory / FILE_NAME
    if inside:
        highest = current_warehouse().highest_key()
        yield Check("warehouse", "ok", str(path), f"Open, schema version {SCHEMA_VERSION}, {highest:,} customers ever.")
        return
    if not path.exists():
        return
    try:
        # Owned for the moment: a server that starts meanwhile waits for it.
        with owned(configuration.lock):
            version = stored_version(configuration.warehouse_directory)
    except Exception as error:
        if isinstance(error, MusterError) and error.code == "installation_in_use":
            return
        remedy = "Restore a backup: `muster restore FILE --replace`."
        yield Check("warehouse", "failed", str(path), f"It cannot be opened: {error}"[:500], remedy)
        return
    if version == SCHEMA_VERSION:
        yield Check("warehouse", "ok", str(path), f"It opens; schema version {version}.")
    elif version is not None and version < SCHEMA_VERSION:
        message = f"It has schema version {version} of {SCHEMA_VERSION}."
        yield Check(
            "warehouse", "warning", str(path), message, "`muster serve` makes a backup and brings it up to date."
        )
    else:
        message = f"It has schema version {version}; this Muster knows {SCHEMA_VERSION}."
        yield Check("warehouse", "failed", str(path), message, "Install the Muster that wrote it.")


def _files(configuration: Configuration) -> Iterator[Check]:
    members, lists = membership_files(), list_files()
    yield _readable(
        "membership",
        configuration.membership_directory,
        {f"{group}.{number}": partial(members.read, group, number) for group, number in current_generations().items()},
        "Refresh the group: `muster groups refresh`; or restore a backup.",
    )
    yield _readable(
        "lists",
        configuration.list_directory,
        {f"{group}.{version}": partial(lists.check, group, version) for group, version in current_lists().items()},
        "Import the list again, or restore a backup.",
    )


def _readable(key: str, directory: Path, files: Mapping[str, Callable[[], object]], remedy: str) -> Check:
    wrong = []
    for name, read in files.items():
        try:
            read()
        except (OSError, ValueError, InternalError, pa.ArrowException) as error:
            wrong.append(f"{name} ({error})")
    if wrong:
        message = f"{len(wrong)} of {len(files)} files are missing or damaged: {', '.join(wrong[:_MOST_NAMED])}."
        return Check(key, "failed", str(directory), message[:500], remedy)
    return Check(key, "ok", str(directory), f"All {len(files)} files that groups point to can be read.")


def _unfinished(configuration: Configuration) -> Iterator[Check]:
    places = (configuration.membership_directory, configuration.list_directory, configuration.backup_directory)
    found = [path for place in places if place.exists() for path in place.iterdir() if path.name.endswith(UNFINISHED)]
    found += list(configuration.home.glob("restoring-*"))
    if found and owner_of(configuration.lock) is None:
        names = ", ".join(path.name for path in found[:_MOST_NAMED])
        message = f"{len(found)} files were left behind by a process that was killed: {names}."
        yield Check("unfinished", "warning", str(configuration.home), message, "The next `muster serve` removes them.")
    else:
        yield Check("unfinished", "ok", str(configuration.home), "No files were left behind.")


def _spool(configuration: Configuration) -> Iterator[Check]:
    """Says nothing while no file of it is damaged (E-19)."""
    directory = configuration.spool_directory
    damaged = [path.name for path in set_aside_files(directory)]
    if damaged:
        told = f"{len(damaged)} damaged files wait to be recovered: {', '.join(damaged[:_MOST_NAMED])}."
        yield Check("spool", "warning", str(directory), told, "Start the server, or run `muster spool recover`.")
    lost = [path.name for path in unreadable_files(directory)]
    if lost:
        told = f"Of {len(lost)} damaged files not everything could be read: {', '.join(lost[:_MOST_NAMED])}."
        yield Check("spool", "warning", str(directory), told, "Look at the disk. They are removed after 30 days.")


def _jobs(configuration: Configuration) -> Iterator[Check]:
    now = system_clock()
    failed = [job for job in jobs_page("failed", None, 100) if now - job.created_at < _FAILED_WITHIN]
    stuck = [
        job
        for job in jobs_page("running", None, 100)
        if job.started_at is not None and now - (job.heartbeat_at or job.started_at) > _STUCK_AFTER
    ]
    for job in failed[:_MOST_NAMED]:
        code, text = job.error or ("", "")
        remedy = f"`muster jobs retry {job.id}` once the reason is gone."
        yield Check("jobs", "warning", job.id, f"{job.kind} failed: {code}: {text}"[:500], remedy)
    for job in stuck[:_MOST_NAMED]:
        remedy = "Restart `muster serve`: it goes on with the job."
        yield Check("jobs", "warning", job.id, f"{job.kind} has said nothing for an hour.", remedy)
    if not failed and not stuck:
        yield Check("jobs", "ok", str(configuration.home / CONTROL), "None failed within a week, none is stuck.")


def _webhooks(configuration: Configuration) -> Iterator[Check]:
    if "webhooks_webhook" not in connection.introspection.table_names():
        # Of an older Muster that was not upgraded yet.
        return
    found = switched_off()
    for identifier, url, why in found[:_MOST_NAMED]:
        remedy = f"`muster webhooks edit {identifier} --on` once the receiver is back, then `muster webhooks replay`."
        yield Check("webhooks", "warning", url, str(DISABLED_TEXTS.get(why, why)), remedy)
    if not found:
        yield Check("webhooks", "ok", str(configuration.home / CONTROL), "Muster switched none off.")


def _backups(configuration: Configuration) -> Iterator[Check]:
    found = [one for one in backups(configuration.backup_directory) if one.made == "asked"]
    place = str(configuration.backup_directory)
    remedy = "`muster backup`, or every night with MUSTER_NIGHTLY_BACKUP=1; keep copies on another machine."
    if not (configuration.home / CONTROL).exists():
        return
    if not found:
        yield Check("backup", "warning", place, "There is no backup.", remedy)
        return
    age = system_clock() - found[0].created_at
    message = f"The last backup is {age.days} days and {age.seconds // 3600} hours old ({found[0].bytes:,} bytes)."
    if age > _OLDEST_BACKUP:
        yield Check("backup", "warning", place, message, remedy)
    else:
        yield Check("backup", "ok", place, message)
