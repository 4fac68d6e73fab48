"""Imports of members: a file or a pasted text judged row by row, then put in force as the next list (G-24, G-25)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from muster.customers.actions.imports import change_import
from muster.customers.actions.uploads import begin_import
from muster.customers.errors import ImportStateWrong
from muster.customers.hooks import ImportKind
from muster.customers.models import Import
from muster.customers.queries import (
    ImportView,
    check_file,
    current_state,
    import_directory,
    import_view,
    suppressed_identities,
    warehouse,
)
from muster.customers.terms import IMPORT_STATES, TRANSITIONS, ImportState
from muster.groups.actions.lists import put_in_force, restore_list, write_list
from muster.groups.errors import ConfirmationNeeded, ListChanged, StateNotAllowed, ValueNotAllowed
from muster.groups.models import Group
from muster.groups.policies import is_large_removal
from muster.groups.queries.evaluation import list_files
from muster.groups.queries.groups import group_row
from muster.groups.queries.imports import import_of
from muster.groups.terms import IMPORT_KIND, Kind, State
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.warehouse.files.encoding import decoded, detect_encoding
from muster.warehouse.files.errors import ColumnUnknown, FileUnreadable
from muster.warehouse.files.mapping import read_source
from muster.warehouse.files.reading import FileRows, open_rows
from muster.warehouse.files.stage import Judged
from muster.warehouse.lists.entries import EntryKind, named, read_cell, words
from muster.warehouse.lists.stage import MODES, MembersStage
from muster.web.hooks import RunningJob

IDS = {"email": EntryKind.EMAIL, "external": EntryKind.EXTERNAL, "customer": EntryKind.CUSTOMER}
_SAMPLED, _SAMPLES = 1_000, 3
_PIECE = 1 << 22
_PORTION = 50_000


def begin_members_import(
    actor: Principal,
    reference: str,
    *,
    chunks: Iterable[bytes],
    file_name: str,
    pasted: bool = False,
    mode: str = "add",
    ids: str = "email",
    column: str | None = None,
    source: dict[str, str] | None = None,
) -> ImportView:
    """Starts the dry run of a file, or of a `pasted` text. `ids`: what an entry without a prefix is."""
    row = known_row(reference)
    if mode not in MODES:
        raise ValueNotAllowed(worded("The mode is one of {modes}.", modes=", ".join(MODES)), pointer="/mode")
    if ids not in IDS:
        raise ValueNotAllowed(worded("Ids are one of {ids}.", ids=", ".join(IDS)), pointer="/ids")
    document: dict[str, Any] = {"kind": IMPORT_KIND, "group": row.id, "mode": mode, "ids": ids, "source": source or {}}
    if column is not None:
        document["column"] = column
    if pasted:
        document |= {"column": "entry", "source": {"format": "parquet"}}
        chunks = _as_rows(chunks)
    return begin_import(actor, file_name=file_name, chunks=chunks, document=document)


def read_anew(actor: Principal, reference: str, identifier: str, *, column: str, ids: str) -> ImportView:
    """The dry run of the same file with another column or other ids, in place of the one there was.

    The import itself if that changes nothing; `import_state` once its rows have been taken in.
    """
    row = import_of(group_row(reference), identifier)
    if (column, ids) == (row.mapping["column"], row.mapping["ids"]):
        return import_view(row)
    state, _ = current_state(row)
    ended = state is ImportState.CANCELLED
    if not ended and TRANSITIONS["cancel"].get(state) is not ImportState.CANCELLED:
        raise ImportStateWrong(
            worded(
                "Import {identifier} is {state}; its columns are chosen before it is applied.",
                identifier=identifier,
                state=IMPORT_STATES[state],
            )
        )
    with check_file(row).open("rb") as file:
        begun = begin_members_import(
            actor,
            reference,
            chunks=iter(lambda: file.read(_PIECE), b""),
            file_name=row.file_name,
            mode=row.mapping["mode"],
            ids=ids,
            column=column,
            source=row.mapping["source"],
        )
    if not ended:
        change_import(actor, identifier, "cancel")
    return begun


def known_row(reference: str) -> Group:
    """A known user group that is in use."""
    row = group_row(reference)
    if row.kind != Kind.KNOWN:
        raise ValueNotAllowed(worded("“{name}” is a segment: its members are found by its definition.", name=row.name))
    if row.state == State.ARCHIVED:
        raise StateNotAllowed(worded("“{name}” is archived. Restore it first.", name=row.name))
    return row


def _as_rows(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pasted text as a file with a row for every entry."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "text"
        with path.open("wb") as file:
            file.writelines(chunks)
        buffer = io.BytesIO()
        with pq.ParquetWriter(buffer, pa.schema([("entry", pa.string())]), compression="zstd") as writer:
            for portion in _portions(_entries(path)):
                writer.write_table(pa.table({"entry": portion}))
    yield buffer.getvalue()


def _entries(path: Path) -> Iterator[str]:
    """The entries of a text, read in pieces that end where a line does (or a word, if a line has no end)."""
    rest = ""
    for text in decoded(path, detect_encoding(path)):
        rest += text
        cut = rest.rfind("\n") + 1
        if not cut and len(rest) > _PIECE:
            cut = max(rest.rfind(sign) for sign in " ,;\t") + 1
        yield from words(rest[:cut])
        rest = rest[cut:]
    yield from words(rest)


def _portions(entries: Iterator[str]) -> Iterator[list[str]]:
    portion: list[str] = []
    for entry in entries:
        portion.append(entry)
        if len(portion) == _PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


def _prepare(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """What the file looks like, and the column with the entries, found if it was not named (G-24)."""
    rows = open_rows(path, read_source(document["source"]))
    if not rows.columns:
        raise FileUnreadable("The file is empty.")
    head = next(rows.tables(), None)
    cells = {} if head is None else {name: head.column(name)[:_SAMPLED].to_pylist() for name in rows.columns}
    if "column" not in document:
        document["column"] = _column_of(rows, cells, IDS[document["ids"]])
    elif document["column"] not in rows.columns:
        raise ColumnUnknown(
            worded(
                "The file has no column {column}; it has: {columns}.",
                column=repr(document["column"]),
                columns=", ".join(rows.columns),
            ),
            pointer="/column",
        )
    return {
        "column": document["column"],
        "columns": [{"name": name, "samples": cells.get(name, [])[:_SAMPLES]} for name in rows.columns],
    }


def _column_of(rows: FileRows, cells: dict[str, list[str | None]], expected: EntryKind) -> str:
    """The only column, or the one with most cells that name somebody."""
    if len(rows.columns) == 1:
        return rows.columns[0]
    # Every text could be an external id: there only prefixes and addresses speak for a column.
    sure = EntryKind.EMAIL if expected is EntryKind.EXTERNAL else expected
    found = {
        name: sum(named(read_cell(cell or ""), sure).identity is not None for cell in [name, *cells.get(name, [])])
        for name in rows.columns
    }
    best = max(rows.columns, key=lambda name: found[name])
    if not found[best] or expected is EntryKind.EXTERNAL:
        raise ColumnUnknown(
            worded(
                "No column of the file holds addresses: name the one to read. It has: {columns}.",
                columns=", ".join(rows.columns),
            ),
            pointer="/column",
            details={"columns": list(rows.columns)},
        )
    return best


def _stage(row: Import) -> MembersStage:
    return MembersStage(import_directory(row.id), row.mapping["mode"])


def _check(row: Import, job: RunningJob) -> tuple[dict[str, int], int]:
    group = known_row(row.mapping["group"])
    rows = open_rows(import_directory(row.id) / "file", read_source(row.mapping["source"]))

    def progress(read: int) -> None:
        job.progress(read)
        job.check()

    with _stage(row) as stage:
        counts = stage.fill(
            rows,
            row.mapping["column"],
            IDS[row.mapping["ids"]],
            list_files().read(group.id, group.list_version),
            suppressed_identities(),
            warehouse(),
            progress,
        )
        row.facts |= {"list_version": group.list_version, "entries": group.entry_count, "leaving": stage.leaving()}
    row.save(update_fields=["facts"])
    return counts, sum(counts.get(verdict, 0) for verdict in ("new", "pending", "suppressed", "removed"))


def _allow(row: Import, confirmed: bool) -> None:
    """The list is still the one that was judged, and a large removal is meant (G-25)."""
    group = known_row(row.mapping["group"])
    if group.list_version != row.facts["list_version"]:
        raise ListChanged(
            worded("“{name}” has been changed since the dry run. Import the file again.", name=group.name)
        )
    leaving, entries = row.facts["leaving"], row.facts["entries"]
    if is_large_removal(leaving, entries) and not confirmed:
        raise ConfirmationNeeded(
            worded(
                "This takes {leaving:,} of {entries:,} entries off “{name}”. Apply with `confirm` if that is meant.",
                leaving=leaving,
                entries=entries,
                name=group.name,
            ),
            details={"leaving": leaving, "entries": entries},
        )


def _apply(row: Import, job: RunningJob) -> int:
    group = known_row(row.mapping["group"])
    if not group.lists.filter(source=row.id).exists():
        with _stage(row) as stage:
            made = write_list(group, stage.result(), row.id)
        job.check()
        put_in_force(group, made)
    return row.item_count


def _undo(row: Import) -> None:
    restore_list(group_row(row.mapping["group"]), row.id)


def _rows(row: Import, verdict: str | None, after: int, limit: int) -> list[Judged]:
    with _stage(row) as stage:
        return stage.rows(verdict, after, limit)


MEMBERS = ImportKind(
    key=IMPORT_KIND,
    scopes=("members:read", "groups:write"),
    prepare=_prepare,
    check=_check,
    allow=_allow,
    apply=_apply,
    undo=_undo,
    rows=_rows,
)
