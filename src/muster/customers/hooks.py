"""What upper rooms and `wiring` give to customers: the warehouse of this process, and further kinds of imports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster.kernel.errors import InternalError
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.files.stage import Judged
from muster.web.hooks import RunningJob

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

after_restore: list[Callable[[], None]] = []
"""Called when a backup was put back, with the warehouse open and before anybody is let in. A crash calls them again."""


@dataclass(frozen=True)
class ImportKind:
    """A kind of import whose rows another room judges and takes in; states, file and jobs are those of all imports.

    `row` is always the `customers.models.Import`. All but `prepare` may run again after a crash.
    """

    key: str
    scopes: tuple[str, ...]
    """What is needed to see and to move one."""
    prepare: Callable[[dict[str, Any], Path], dict[str, Any]]
    """Checks and completes the mapping for a file; answers the facts that are shown with the import."""
    check: Callable[[Any, RunningJob], tuple[dict[str, int], int]]
    """The dry run: rows by verdict, and how many items would be taken in."""
    allow: Callable[[Any, bool], None]
    """Refuses an application; the flag says that the caller confirms what is large."""
    apply: Callable[[Any, RunningJob], int]
    undo: Callable[[Any], None]
    rows: Callable[[Any, str | None, int, int], list[Judged]]
    """Verdicts (of one kind, after a row, at most so many)."""


import_kinds: dict[str, ImportKind] = {}


def register_import_kind(kind: ImportKind) -> None:
    """Called in the `apps.py` of the room whose kind it is."""
    import_kinds[kind.key] = kind
