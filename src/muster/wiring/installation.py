"""An installation that this process owns: lock, control database, warehouse, jobs. Needs Django to be set up."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from muster.customers.actions import sweep_imports
from muster.customers.hooks import provide_ledger, provide_warehouse
from muster.groups.actions.lists import sweep_lists
from muster.groups.actions.membership import sweep_memberships
from muster.kernel.errors import MusterError
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.ledger import ErasureLedger
from muster.web.runner import JobRunner
from muster.wiring.configuration import Configuration
from muster.wiring.wsgi import application

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Any]


@dataclass(frozen=True)
class Installation:
    """What there is while `open_installation` holds it open."""

    configuration: Configuration
    warehouse: DuckDBWarehouse
    jobs: JobRunner
    application: WsgiApplication


@contextmanager
def open_installation(
    configuration: Configuration, *, takes_all_jobs: bool, patience_seconds: float = 0
) -> Iterator[Installation]:
    """Owns the installation: `installation_in_use` if another process does and goes on doing so.

    `takes_all_jobs`: whether jobs that wait or were left behind are run, as a server does. At the end the job under
    way is asked to leave, and everything is closed as another process needs it.
    """
    configuration.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _owned(configuration.lock, patience_seconds):
        migrate()
        sweep_memberships()
        sweep_lists()
        # What a past that was asked when the process died left behind.
        shutil.rmtree(configuration.past_directory, ignore_errors=True)
        sweep_imports(at_start=True)
        with _warehouse(configuration) as warehouse, _jobs(takes_all_jobs) as jobs:
            yield Installation(configuration, warehouse, jobs, application)


def migrate() -> None:
    """Brings the control database to this version; `database_too_new` if a newer Muster has written it."""
    executor = MigrationExecutor(connection)
    unknown = [key for key in executor.loader.applied_migrations if key not in executor.loader.disk_migrations]
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in sorted(unknown)[:3])
        message = f"A newer Muster has written this installation ({names}); start that one."
        raise MusterError(message, code="database_too_new")
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


@contextmanager
def _warehouse(configuration: Configuration) -> Iterator[DuckDBWarehouse]:
    resources = Resources(threads=configuration.warehouse_threads, memory_limit=configuration.warehouse_memory)
    ledger = ErasureLedger(configuration.ledger, settings.SECRET_KEY)
    with DuckDBWarehouse(configuration.warehouse_directory, resources) as warehouse:
        warehouse.use_ledger(ledger)
        provide_warehouse(warehouse)
        provide_ledger(ledger)
        try:
            yield warehouse
        finally:
            provide_warehouse(None)
            provide_ledger(None)


@contextmanager
def _jobs(takes_all: bool) -> Iterator[JobRunner]:
    jobs = JobRunner(takes_all=takes_all)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.close()


@contextmanager
def _owned(path: Path, patience_seconds: float) -> Iterator[None]:
    """Holds the lock file; the lock is gone with the process, however it ends."""
    deadline = time.monotonic() + patience_seconds
    with path.open("a+", encoding="ascii") as lock:
        while not _try_lock(lock.fileno()):
            if time.monotonic() >= deadline:
                lock.seek(0)
                owner = lock.read(20).strip() or "?"
                message = f"Process {owner} owns the installation in {path.parent}. Stop it first."
                raise MusterError(message, code="installation_in_use")
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield
        finally:
            connection.close()


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
