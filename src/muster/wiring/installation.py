"""An installation that this process owns: lock, control database, warehouse, jobs. Needs Django to be set up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from muster.customers.actions.uploads import sweep_imports
from muster.customers.hooks import provide_ledger, provide_warehouse
from muster.groups.actions.lists import sweep_lists
from muster.groups.actions.membership import begin_memory, sweep_memberships
from muster.kernel.errors import MusterError
from muster.online.writer import OnlineWriter
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.ledger import ErasureLedger
from muster.web.runner import JobRunner
from muster.wiring.configuration import Configuration
from muster.wiring.operation.backup import sweep_unfinished
from muster.wiring.operation.restore import is_switching, sweep_restores
from muster.wiring.operation.settle import settle
from muster.wiring.operation.upgrade import begin_upgrade, end_upgrade
from muster.wiring.ownership import owned
from muster.wiring.publishing import publishing
from muster.wiring.wsgi import application

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Any]


@dataclass(frozen=True)
class Installation:
    """What there is while `open_installation` holds it open."""

    configuration: Configuration
    warehouse: DuckDBWarehouse
    jobs: JobRunner
    application: WsgiApplication
    online: OnlineWriter


@contextmanager
def open_installation(
    configuration: Configuration, *, takes_all_jobs: bool, patience_seconds: float = 0
) -> Iterator[Installation]:
    """Owns the installation: `installation_in_use` if another process does and goes on doing so.

    `takes_all_jobs`: whether jobs that wait or were left behind are run, as a server does. At the end the job under
    way is asked to leave, and everything is closed as another process needs it.
    """
    configuration.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _own(configuration, patience_seconds):
        begin_upgrade(configuration)
        sweep_unfinished(configuration.backup_directory)
        sweep_restores(configuration.home)
        sweep_memberships()
        begin_memory()
        sweep_lists()
        # What a past that was asked when the process died left behind.
        shutil.rmtree(configuration.past_directory, ignore_errors=True)
        sweep_imports(at_start=True)
        with _warehouse(configuration) as warehouse:
            end_upgrade(configuration)
            settle(configuration)
            with publishing(configuration, serves=takes_all_jobs) as online, _jobs(takes_all_jobs) as jobs:
                yield Installation(configuration, warehouse, jobs, application, online)


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
def _own(configuration: Configuration, patience_seconds: float) -> Iterator[None]:
    with owned(configuration.lock, patience_seconds):
        _check_key(configuration)
        try:
            yield
        finally:
            connection.close()


def _check_key(configuration: Configuration) -> None:
    """Whoever started while a backup was put back has read the key of what was there before."""
    key = configuration.secret_key_file.read_text(encoding="ascii").strip()
    if is_switching(configuration.home) or key != settings.SECRET_KEY:
        message = f"A backup was put back in {configuration.home} meanwhile. Do this again."
        raise MusterError(message, code="installation_in_use")
