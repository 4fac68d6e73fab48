"""Brings what an older Muster wrote up to this version, after a backup of it as it was."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from muster.kernel.errors import MusterError
from muster.warehouse.duckdb.connection import stored_version
from muster.warehouse.duckdb.migrations import SCHEMA_VERSION
from muster.warehouse.duckdb.schema import check_known
from muster.wiring.configuration import Configuration
from muster.wiring.operation.backup import make_backup_before
from muster.wiring.operation.restore import is_settling
from muster.wiring.operation.stamp import check_not_newer, put_stamp, stamp_of, this_version


def begin_upgrade(configuration: Configuration) -> None:
    """Brings the control database to this version; the warehouse follows when it is opened, then `end_upgrade`.

    `installation_too_new`, `database_too_new`, `warehouse_too_new`: nothing was changed then.
    """
    check_not_newer(configuration.home)
    executor = MigrationExecutor(connection)
    _check_known_migrations(executor)
    warehouse = stored_version(configuration.warehouse_directory)
    check_known(warehouse or 0)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    pending = bool(plan) or (warehouse is not None and warehouse < SCHEMA_VERSION)
    # A new installation has nothing to lose, and a backup that was just put back is one already.
    if pending and executor.loader.applied_migrations and not is_settling(configuration.home):
        put_stamp(configuration.home, _backup_before(configuration, warehouse or 0))
    if plan:
        call_command("migrate", verbosity=0, interactive=False)


def end_upgrade(configuration: Configuration) -> None:
    """Everything is of this version."""
    put_stamp(configuration.home)


def pending_migrations() -> list[str]:
    """Of the control database: app and name."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _backup_before(configuration: Configuration, warehouse: int) -> str:
    """Its name. An upgrade that was cut off goes on with the backup it made: what is there now is half new."""
    stamp = stamp_of(configuration.home)
    if stamp is not None and stamp.backup and (configuration.backup_directory / stamp.backup).exists():
        return stamp.backup
    return make_backup_before(configuration, this_version(), warehouse).name


def _check_known_migrations(executor: MigrationExecutor) -> None:
    unknown = [key for key in executor.loader.applied_migrations if key not in executor.loader.disk_migrations]
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in sorted(unknown)[:3])
        message = f"A newer Muster has written this installation ({names}); start that one."
        raise MusterError(message, code="database_too_new")
