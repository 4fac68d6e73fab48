"""What upper rooms and `wiring` give to customers: warehouse, ledger, imports, personal data, parts of pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.functional import Promise
from pyroaring import BitMap

from muster.kernel.errors import InternalError
from muster.warehouse.batch import Merge
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.files.stage import Judged
from muster.warehouse.ledger import ErasureLedger
from muster.warehouse.subject import Subject
from muster.web.hooks import RunningJob

_provided: list[DuckDBWarehouse] = []


def provide_warehouse(warehouse: DuckDBWarehouse | None) -> None:
    """None when it has been closed."""
    _provided[:] = [] if warehouse is None else [warehouse]


def current_warehouse() -> DuckDBWarehouse:
    if not _provided:
        raise InternalError("no warehouse is open in this process")
    return _provided[0]


_ledgers: list[ErasureLedger] = []


def provide_ledger(ledger: ErasureLedger | None) -> None:
    """The erasure ledger of this process; None when it is no longer owned."""
    _ledgers[:] = [] if ledger is None else [ledger]


def current_ledger() -> ErasureLedger:
    if not _ledgers:
        raise InternalError("no erasure ledger is open in this process")
    return _ledgers[0]


spool_emptiers: list[Callable[[], None]] = []
"""Each brings all that apps sent so far into the warehouse, and its bytes out of the spool; raises if it cannot."""


@dataclass(frozen=True)
class PersonalData:
    """A place that holds something of people (C-45); `privacy.yaml` says of what which place is in charge.

    All three may be asked of one person or of many, and again after a crash. Whoever erases also sees to it that what
    its room derives from the data is right when it returns.
    """

    key: str
    export: Callable[[Subject], dict[str, list[dict[str, Any]]]]
    """What there is of one person: rows (JSON) by the name of the file they are handed over in."""
    erase: Callable[[Subject], dict[str, int]]
    """Removes it; answers how much, by what it is."""
    count: Callable[[Subject], dict[str, int]]
    """How much there is; nothing is an empty answer."""


personal_data: dict[str, PersonalData] = {}


def register_personal_data(place: PersonalData) -> None:
    """Called in the `apps.py` of the room whose place it is. They are erased in the order of registration."""
    personal_data[place.key] = place


data_changed: list[Callable[[BitMap | None], None]] = []
"""Told, once data is committed, whose rows may have changed (None: anybody's): groups take it up from here."""

identities_changed: list[Callable[[Sequence[tuple[str, int, str, int]], Sequence[Merge]], None]] = []
"""Told, once an append is committed, of identities (kind, app, text, customer) new or another's, and of merges."""

after_restore: list[Callable[[], object]] = []
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


@dataclass(frozen=True)
class Belonging:
    """What a customer is in now: its name, its page, and the page that says why."""

    name: str
    kind: str | Promise
    address: str
    why: str


@dataclass(frozen=True)
class BelongingSource:
    """`scope`: what is needed to see them. `find`: those of a customer, by key."""

    scope: str
    find: Callable[[int], list[Belonging]]


belonging_sources: list[BelongingSource] = []
"""Registered in the `apps.py` of the room whose things they are; the page of a customer shows them."""

Position = tuple[datetime, str]


@dataclass(frozen=True)
class Moment:
    """Something that happened with a customer. `place` orders what happened in one instant and is always the same."""

    at: datetime
    place: str
    title: str | Promise
    app: str = ""
    address: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TimelineSource:
    """A kind of moments. `scope`: what is needed to see them.

    `find(key, position, limit, newer)`: up to `limit` moments before a position (None: from now on), newest first; if
    `newer`, those after it, oldest first. Places are compared as texts.
    """

    kind: str
    label: str | Promise
    icon: str
    scope: str
    find: Callable[[int, Position | None, int, bool], list[Moment]]


timeline_sources: dict[str, TimelineSource] = {}


def register_timeline(source: TimelineSource) -> None:
    """Called in the `apps.py` of the room whose moments they are."""
    timeline_sources[source.kind] = source
