"""Imports of members as the pages of their group show them (G-25)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from muster.customers.errors import ImportUnknown
from muster.customers.models import Import
from muster.customers.queries import ImportView, check_file, import_view, job_of, verdicts
from muster.customers.terms import ImportState
from muster.groups.errors import GroupError, ListChanged, UndoExpired
from muster.groups.models import Group, ListVersion
from muster.groups.policies import is_large_removal
from muster.groups.queries.evaluation import list_files
from muster.groups.terms import IMPORT_KIND, UNDO_DAYS
from muster.kernel.clock import system_clock
from muster.kernel.worded import worded
from muster.warehouse.lists.entries import exported
from muster.web.queries import JobView

_LINES_A_CHUNK = 1_000


@dataclass(frozen=True)
class ListImport:
    """An import with what it means for its list. `leaving` and `after` are known once the dry run is over."""

    view: ImportView
    mode: str
    ids: str
    column: str
    columns: list[dict[str, Any]]
    """Name and three samples of every column of the file."""
    pasted: bool
    entries: int
    """Of the list as it was judged."""
    leaving: int
    after: int | None
    job: JobView | None
    undo_error: GroupError | None
    """Why it cannot be undone; None if it can or if there is nothing to undo yet."""

    @property
    def large_removal(self) -> bool:
        return is_large_removal(self.leaving, self.entries)

    @property
    def can_undo(self) -> bool:
        return self.view.state == ImportState.DONE and self.undo_error is None

    @property
    def is_moving(self) -> bool:
        """Whether looking again in a moment shows something else."""
        working = self.view.state in (ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING)
        return working and self.job is not None and not self.job.is_over


def imports_of(row: Group, limit: int) -> list[ListImport]:
    """The newest imports of a list, newest first."""
    found = Import.objects.filter(kind=IMPORT_KIND, mapping__group=row.id)
    return [_told(row, one) for one in found[:limit]]


def import_of(row: Group, identifier: str) -> Import:
    """One import of a list; `import_unknown` if it is of another one."""
    found = Import.objects.filter(id=identifier, kind=IMPORT_KIND, mapping__group=row.id).first()
    if found is None:
        raise ImportUnknown(
            worded("There is no import `{identifier}` of “{name}”.", identifier=identifier, name=row.name)
        )
    return found


def list_import(row: Group, identifier: str) -> ListImport:
    return _told(row, import_of(row, identifier))


def _told(row: Group, one: Import) -> ListImport:
    view = import_view(one)
    entries = one.facts.get("entries", row.entry_count)
    leaving = one.facts.get("leaving", 0)
    columns = one.facts.get("columns", [])
    return ListImport(
        view=view,
        mode=one.mapping["mode"],
        ids=one.mapping["ids"],
        column=one.mapping["column"],
        columns=columns,
        pasted=one.mapping["source"].get("format") == "parquet" and [one["name"] for one in columns] == ["entry"],
        entries=entries,
        leaving=leaving,
        after=None if one.checked_at is None else _after(one.mapping["mode"], one.counts, entries, leaving),
        job=job_of(one),
        undo_error=_undo_error(row, one) if view.state == ImportState.DONE else None,
    )


def _after(mode: str, counts: dict[str, int], entries: int, leaving: int) -> int:
    """How many entries the list has then: those who come replace the others, or stand behind those who stay."""
    coming = sum(counts.get(verdict, 0) for verdict in ("new", "pending", "suppressed"))
    if mode == "replace":
        return coming + counts.get("already_member", 0)
    return entries - leaving + (coming if mode == "add" else 0)


def check_restorable(row: Group, made: ListVersion) -> None:
    """Whether the version before can come back: nothing came after it, and it is still kept."""
    if row.list_version != made.version:
        raise ListChanged(worded("“{name}” was changed again since. Undo the later changes first.", name=row.name))
    if system_clock() - made.made_at > UNDO_DAYS or not list_files().has(row.id, made.before):
        raise UndoExpired(
            worded("Changes to “{name}” can be undone for {days} days.", name=row.name, days=UNDO_DAYS.days)
        )


def _undo_error(row: Group, one: Import) -> GroupError | None:
    made = row.lists.filter(source=one.id).first()
    if made is None:
        return None
    try:
        check_restorable(row, made)
    except GroupError as error:
        return error
    return None


def verdict_lines(row: Group, identifier: str, verdict: str | None) -> Iterator[str]:
    """CSV of the rows of a dry run in order, of one verdict or all; no cell is a formula (D-31)."""
    check_file(import_of(row, identifier))
    return _lines(identifier, verdict)


def _lines(identifier: str, verdict: str | None) -> Iterator[str]:
    # The mark by which spreadsheets know UTF-8.
    yield "\ufeffrow,entry,verdict,reason\r\n"
    cursor: str | None = None
    while True:
        found, cursor = verdicts(identifier, verdict=verdict, cursor=cursor, limit=_LINES_A_CHUNK)
        text = io.StringIO(newline="")
        cells = ([one.row, exported(one.value or ""), one.verdict, one.reason or ""] for one in found)
        csv.writer(text).writerows(cells)
        yield text.getvalue()
        if cursor is None:
            return
