"""The warehouse of this process; `wiring` opens it and hands it in."""

from __future__ import annotations

from collections.abc import Callable

from muster.kernel.errors import InternalError
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse

_provided: list[DuckDBWarehouse] = []


def provide_warehouse(warehouse: DuckDBWarehouse | None) -> None:
    """None when it has been closed."""
    _provided[:] = [] if warehouse is None else [warehouse]


def current_warehouse() -> DuckDBWarehouse:
    if not _provided:
        raise InternalError("no warehouse is open in this process")
    return _provided[0]


data_changed: list[Callable[[], None]] = []
"""Called after an import has been applied: groups take it up from here."""
