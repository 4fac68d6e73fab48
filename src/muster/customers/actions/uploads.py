"""Files that are sent in: kept, judged by a dry run, and thrown away when nobody can undo them any more."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction

from muster.audit.actions import record
from muster.customers.actions.imports import change_import
from muster.customers.actions.mappings import checked_mapping, prepared, proposal
from muster.customers.errors import ImportStateWrong, ImportTooLarge
from muster.customers.models import Import
from muster.customers.queries import ImportView, check_file, current_state, import_directory, import_row, import_view
from muster.customers.terms import IMPORT_STATES, KEPT_DAYS, TRANSITIONS, ImportState
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.warehouse.files.errors import MappingInvalid
from muster.warehouse.files.mapping import KINDS, mapping_digest
from muster.warehouse.files.reading import file_digest
from muster.web.actions import start_job

_Read = TypeVar("_Read")
_PIECE = 1 << 22


def begin_import(actor: Principal, *, file_name: str, chunks: Iterable[bytes], document: Any) -> ImportView:
    """Keeps the file, checks the mapping (see `parsed_mapping`) against its columns, and starts the dry run (C-36)."""
    sweep_imports()
    identifier, path, (kind, facts) = _kept(chunks, lambda file: prepared(document, file))
    with transaction.atomic():
        row = Import.objects.create(
            id=identifier,
            kind=kind,
            file_name=Path(file_name).name[:255],
            digest=file_digest(path),
            mapping=document,
            facts=facts,
            created_by=actor.label,
            created_at=system_clock(),
        )
        row.job_id = start_job("customers.check", {"import": identifier}, subject=("import", identifier)).id
        row.save(update_fields=["job_id"])
        record(actor, "import.begun", "import", identifier, {"kind": kind, "file": row.file_name})
    return import_view(row)


def keep_upload(
    actor: Principal,
    *,
    file_name: str,
    chunks: Iterable[bytes],
    kind: str,
    app: str = "",
    source: Mapping[str, Any] | None = None,
) -> ImportView:
    """Keeps the file and proposes what its columns are (C-35); `judge_upload` starts the dry run."""
    sweep_imports()
    if kind not in KINDS:
        raise MappingInvalid(
            worded("The kind is one of {kinds}, not {kind}.", kinds=", ".join(KINDS), kind=repr(kind)),
            pointer="/kind",
        )
    identifier, path, document = _kept(chunks, lambda file: proposal(file, kind, app, source or {}))
    with transaction.atomic():
        row = Import.objects.create(
            id=identifier,
            kind=kind,
            state=ImportState.UPLOADED,
            file_name=Path(file_name).name[:255],
            digest=file_digest(path),
            mapping=document,
            created_by=actor.label,
            created_at=system_clock(),
        )
        record(actor, "import.uploaded", "import", identifier, {"kind": kind, "file": row.file_name})
    return import_view(row)


def judge_upload(actor: Principal, identifier: str, document: Any) -> ImportView:
    """Starts the dry run of an upload by this mapping.

    What was judged already is left as it is: the same file becomes another import, and the earlier one is cancelled.
    """
    row = import_row(identifier)
    state, _ = current_state(row)
    path = check_file(row)
    if state is not ImportState.UPLOADED:
        return _judge_anew(actor, row, state, path, document)
    mapping = checked_mapping(document, path)
    with transaction.atomic():
        row = import_row(identifier)
        if row.state != ImportState.UPLOADED:
            raise ImportStateWrong(
                worded(
                    "Import {identifier} is {state}; somebody has started its dry run.",
                    identifier=identifier,
                    state=IMPORT_STATES[ImportState(row.state)],
                )
            )
        row.mapping, row.kind, row.state = document, mapping.kind, TRANSITIONS["judge"][ImportState.UPLOADED]
        row.job_id = start_job("customers.check", {"import": row.id}, subject=("import", row.id)).id
        row.save(update_fields=["mapping", "kind", "state", "job_id"])
        record(actor, "import.begun", "import", identifier, {"kind": row.kind, "file": row.file_name})
    return import_view(row)


def _judge_anew(actor: Principal, row: Import, state: ImportState, path: Path, document: Any) -> ImportView:
    if mapping_digest(document) == mapping_digest(row.mapping) and state in (ImportState.CHECKING, ImportState.CHECKED):
        return import_view(row)
    _check_before(row, state)
    begun = begin_import(actor, file_name=row.file_name, chunks=pieces_of(path), document=document)
    if TRANSITIONS["cancel"].get(state) is ImportState.CANCELLED:
        change_import(actor, row.id, "cancel")
    return begun


def _check_before(row: Import, state: ImportState) -> None:
    """What its columns are is said before anything of it is taken in."""
    if state is not ImportState.CANCELLED and TRANSITIONS["cancel"].get(state) is not ImportState.CANCELLED:
        raise ImportStateWrong(
            worded(
                "Import {id} is {state}; its columns are chosen before it is applied.",
                id=row.id,
                state=IMPORT_STATES[state],
            )
        )


def read_upload_anew(actor: Principal, identifier: str, kind: str, app: str, source: Mapping[str, Any]) -> ImportView:
    """Proposes again, the file read in another way or as another kind; what was judged becomes another upload."""
    row = import_row(identifier)
    state, _ = current_state(row)
    path = check_file(row)
    if state is not ImportState.UPLOADED:
        _check_before(row, state)
        return keep_upload(actor, file_name=row.file_name, chunks=pieces_of(path), kind=kind, app=app, source=source)
    row.mapping, row.kind = proposal(path, kind, app, source), kind
    row.save(update_fields=["mapping", "kind"])
    return import_view(row)


def pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_PIECE), b"")


def _kept(chunks: Iterable[bytes], read: Callable[[Path], _Read]) -> tuple[str, Path, _Read]:
    """An import's id, its file, and what `read` makes of it; nothing stays of a file that cannot be read."""
    identifier = new_id("imp")
    directory = import_directory(identifier)
    directory.mkdir(parents=True)
    path = directory / "file"
    try:
        _keep(path, chunks)
        return identifier, path, read(path)
    except BaseException:
        shutil.rmtree(directory)
        raise


def _keep(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes the file; `import_too_large` before the disk is full of what nobody wants."""
    most = settings.MUSTER.import_megabytes
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            if file.tell() > most * 1_000_000:
                raise ImportTooLarge(
                    worded(
                        "The file is larger than {most:,} MB. Send it in parts, or set MUSTER_IMPORT_MEGABYTES.",
                        most=most,
                    ),
                    pointer="/file",
                )


def sweep_imports(*, at_start: bool = False) -> None:
    """Deletes the uploads nobody can undo any more; at the start of a process also those that came to nothing."""
    border = system_clock() - timedelta(days=KEPT_DAYS)
    root: Path = settings.MUSTER.import_directory
    lying = {path.name for path in root.iterdir()} if root.exists() else set()
    old = Import.objects.filter(id__in=lying, created_at__lt=border).exclude(done_at__gte=border)
    gone = set(old.exclude(state=ImportState.APPLYING).values_list("id", flat=True))
    if at_start:
        gone |= lying - set(Import.objects.filter(id__in=lying).values_list("id", flat=True))
    for identifier in gone:
        shutil.rmtree(root / identifier)
