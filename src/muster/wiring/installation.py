"""An installation that this process owns: lock, control database, warehouse, jobs."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from muster.kernel.errors import MusterError
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.wiring.configuration import Configuration

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Installation:
    """Opened by `open_installation`; `close` leaves everything as another process needs it."""

    def __init__(self, configuration: Configuration, lock: IO[str], *, takes_all_jobs: bool) -> None:
        # Rooms read their tables when they are imported, which Django must be ready for.
        from muster.customers.hooks import provide_warehouse
        from muster.web.runner import JobRunner

        self.configuration = configuration
        self._lock = lock
        self._provide = provide_warehouse
        resources = Resources(threads=configuration.warehouse_threads, memory_limit=configuration.warehouse_memory)
        self.warehouse = DuckDBWarehouse(configuration.warehouse_directory, resources)
        provide_warehouse(self.warehouse)
        self.jobs = JobRunner(takes_all=takes_all_jobs)
        self.jobs.start()

    @property
    def application(self) -> WsgiApplication:
        from muster.wiring.wsgi import application

        return application

    def close(self) -> None:
        self.jobs.close()
        self._provide(None)
        self.warehouse.close()
        connection.close()
        self._lock.close()


def open_installation(
    configuration: Configuration, *, takes_all_jobs: bool, patience_seconds: float = 0
) -> Installation:
    """Owns the installation: `installation_in_use` if another process does and goes on doing so.

    `takes_all_jobs`: whether jobs that wait or were left behind are run, as a server does.
    """
    configuration.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = _lock(configuration.lock, patience_seconds)
    try:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muster.wiring.settings")
        django.setup()
        migrate()
        return Installation(configuration, lock, takes_all_jobs=takes_all_jobs)
    except BaseException:
        lock.close()
        raise


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
    connection.close()


def _lock(path: Path, patience_seconds: float) -> IO[str]:
    """The open lock file; the lock is gone with the process, however it ends."""
    lock = path.open("a+", encoding="ascii")
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            lock.seek(0)
            owner = lock.read(20).strip() or "?"
            lock.close()
            message = f"Process {owner} owns the installation in {path.parent}. Stop it first."
            raise MusterError(message, code="installation_in_use") from error
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        return lock
