"""Opens the DuckDB file: one process owns it, nothing is fetched from outside, every session counts in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from muster.kernel.worded import worded
from muster.warehouse.duckdb.schema import version_in
from muster.warehouse.errors import WarehouseLockedError

FILE_NAME = "warehouse.duckdb"


@dataclass(frozen=True)
class Resources:
    """What the engine may use. `memory_limit` as DuckDB writes it (`4GB`); None = its own default."""

    threads: int | None = None
    memory_limit: str | None = None


def connect(directory: Path, resources: Resources) -> duckdb.DuckDBPyConnection:
    """A connection to `warehouse.duckdb` in the directory, which is created; WarehouseLockedError if it is taken.

    Spilled rows go to `tmp` beside the file. Arrow tables are registered by name, so files and Python variables need
    not be readable from SQL and are not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = {
        "temp_directory": str(directory / "tmp"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
    }
    if resources.threads is not None:
        config["threads"] = str(resources.threads)
    if resources.memory_limit is not None:
        config["memory_limit"] = resources.memory_limit
    try:
        connection = duckdb.connect(str(directory / FILE_NAME), config=config)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise WarehouseLockedError(
                worded(
                    "Another process has the warehouse in {directory} open. Stop it, or ask it instead.",
                    directory=directory,
                )
            ) from error
        raise
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    # Only after the file and its temporary directory are open: DuckDB refuses to open anything afterwards.
    connection.execute("SET GLOBAL enable_external_access = false")
    return connection


def stored_version(directory: Path) -> int | None:
    """The schema version of a warehouse that nobody has open, without changing it; None if there is none yet."""
    if not (directory / FILE_NAME).exists():
        return None
    with duckdb.connect(str(directory / FILE_NAME), read_only=True) as connection:
        return version_in(connection)
