"""What the installation is made of and how it does: versions, what is stored, queues, disk, backups."""

from __future__ import annotations

import platform
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from muster.warehouse.duckdb.migrations import SCHEMA_VERSION
from muster.web.queries import job_counts
from muster.wiring.configuration import Configuration
from muster.wiring.operation.backup import Backup, backups
from muster.wiring.operation.layout import CONTROL
from muster.wiring.operation.stamp import this_version


@dataclass(frozen=True)
class Store:
    """Something of the installation on disk; `files` counts them where there are many."""

    label: str | Promise
    path: Path
    bytes: int
    files: int


@dataclass(frozen=True)
class Facts:
    """`free`, `total`: bytes of the disk the installation lies on. `queues`: jobs by state. Backups newest first."""

    versions: Sequence[tuple[str, str]]
    schema_version: int
    stores: Sequence[Store]
    free: int
    total: int
    queues: dict[str, int]
    backups: Sequence[Backup]

    @property
    def used(self) -> int:
        return self.total - self.free


def gather(configuration: Configuration) -> Facts:
    """Cheap: no file is opened."""
    usage = shutil.disk_usage(configuration.home)
    return Facts(
        versions=_versions(),
        schema_version=SCHEMA_VERSION,
        stores=_stores(configuration),
        free=usage.free,
        total=usage.total,
        queues=job_counts(),
        backups=backups(configuration.backup_directory),
    )


def _versions() -> list[tuple[str, str]]:
    return [
        ("Muster", this_version()),
        ("Python", platform.python_version()),
        ("DuckDB", duckdb.__version__),
        ("SQLite", sqlite3.sqlite_version),
        ("PyArrow", pa.__version__),
    ]


def _stores(configuration: Configuration) -> list[Store]:
    places = (
        (_("Control database"), configuration.home / CONTROL),
        (_("Warehouse"), configuration.warehouse_directory),
        (_("Members of groups"), configuration.membership_directory),
        (_("Lists of known user groups"), configuration.list_directory),
        (_("Files of imports"), configuration.import_directory),
        (_("Files handed over"), configuration.export_directory),
        (_("Backups"), configuration.backup_directory),
    )
    return [_store(label, path) for label, path in places]


def _store(label: str | Promise, path: Path) -> Store:
    """A database with what SQLite keeps beside it; a folder with all below it."""
    found = path.parent.glob(f"{path.name}*") if path.suffix else path.rglob("*")
    sizes = []
    for one in found:
        try:
            if one.is_file():
                sizes.append(one.stat().st_size)
        except FileNotFoundError:
            # Swept while we looked.
            continue
    return Store(label, path, sum(sizes), len(sizes))
