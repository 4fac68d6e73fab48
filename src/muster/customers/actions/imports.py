"""What is done with an import that was judged: apply, pause, cancel, undo."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.customers import hooks
from muster.customers.actions.mappings import plain
from muster.customers.errors import ImportExpired, ImportHasInvalid, ImportStateWrong, MappingChanged
from muster.customers.models import Import
from muster.customers.queries import (
    ImportView,
    check_file,
    current_state,
    import_row,
    import_view,
    job_of,
    undo_refusal,
)
from muster.customers.terms import EVENTS, EXPIRES_AFTER_HOURS, IMPORT_STATES, IMPORT_VERBS, TRANSITIONS, ImportState
from muster.kernel.worded import either, worded
from muster.team.policies import Principal
from muster.warehouse.files.mapping import mapping_digest
from muster.warehouse.files.reading import file_digest
from muster.web.actions import change_job, possible_wishes, start_job


def change_import(
    actor: Principal,
    identifier: str,
    verb: str,
    *,
    max_invalid: int = 0,
    confirm: bool = False,
    consented: bool = False,
    digest: str | None = None,
    mapping: dict[str, Any] | None = None,
) -> ImportView:
    """apply, pause, cancel or undo.

    Of apply: `digest` and `mapping` are what the caller takes the dry run's file and mapping to be; `confirm` that a
    large removal is meant; `consented` that whoever applies it says these people agreed: noted, nothing else.
    """
    if verb == "apply":
        _check_as_judged(import_row(identifier), digest, mapping)
    with transaction.atomic():
        row = import_row(identifier)
        state, reason = current_state(row)
        target = TRANSITIONS[verb].get(state)
        if target is None:
            raise ImportStateWrong(
                worded(
                    "Import {identifier} is {state}; {verb} is possible when it is {states}.{reason}",
                    identifier=identifier,
                    state=IMPORT_STATES[state],
                    verb=IMPORT_VERBS[verb],
                    states=either(IMPORT_STATES[one] for one in TRANSITIONS[verb]),
                    reason=f" {reason}" if reason else "",
                )
            )
        match verb:
            case "apply":
                _apply(actor, row, state, max_invalid, confirm=confirm)
            case "pause":
                change_job(actor, row.job_id, "pause")
            case "cancel":
                _cancel(actor, row, target)
            case "undo":
                _undo(actor, row, state)
        # That an application has stopped is for its job to say: see `current_state`.
        row.state = ImportState.APPLYING if target is ImportState.RESUMABLE else target
        noted = {"consented": True} if verb == "apply" and consented else {}
        row.facts |= noted
        row.save(update_fields=["state", "job_id", "facts"])
        details = {"max_invalid": max_invalid, **noted} if verb == "apply" else {}
        record(actor, f"import.{verb}", "import", identifier, details)
    return import_view(row)


def _check_as_judged(row: Import, digest: str | None, mapping: dict[str, Any] | None) -> None:
    """The dry run is of this file and this mapping, and not too old; otherwise it has expired."""
    state, _ = current_state(row)
    if state is ImportState.EXPIRED:
        raise ImportExpired(
            worded(
                "The dry run of {id} is older than {hours} hours, or was of another file or mapping. Import"
                " the file again.",
                id=row.id,
                hours=EXPIRES_AFTER_HOURS,
            )
        )
    if state not in TRANSITIONS["apply"]:
        return
    path = check_file(row)
    if mapping is not None and mapping_digest({"kind": row.kind, **plain(mapping)}) != mapping_digest(row.mapping):
        _expire(row)
        raise MappingChanged(
            worded("The dry run of {id} was made with another mapping. Import the file again with it.", id=row.id)
        )
    changed = state is ImportState.CHECKED and file_digest(path) != row.digest
    if changed or digest not in (None, row.digest):
        _expire(row)
        raise ImportExpired(worded("The dry run of {id} was made of another file. Import this one again.", id=row.id))


def _expire(row: Import) -> None:
    """Only what has not begun expires: an application goes on with what was judged."""
    Import.objects.filter(id=row.id, state=ImportState.CHECKED).update(
        state=EVENTS["mapping or file changed"][ImportState.CHECKED]
    )


def _apply(actor: Principal, row: Import, state: ImportState, max_invalid: int, *, confirm: bool) -> None:
    invalid = row.counts.get("invalid", 0)
    if state is ImportState.CHECKED and invalid > max_invalid:
        raise ImportHasInvalid(
            worded(
                "{invalid:,} of {rows:,} rows are invalid, {max_invalid:,} are allowed. Mend the file, or"
                " apply with a higher `max_invalid` to leave them out.",
                invalid=invalid,
                rows=row.row_count,
                max_invalid=max_invalid,
            ),
            details={"counts": row.counts},
        )
    if state is ImportState.CHECKED and row.kind in hooks.import_kinds:
        hooks.import_kinds[row.kind].allow(row, confirm)
    _work(actor, row, "customers.apply")


def _cancel(actor: Principal, row: Import, target: ImportState) -> None:
    """Stops what is under way; what has been taken in goes out again."""
    job = job_of(row)
    if job is not None and "cancel" in possible_wishes(job.state):
        change_job(actor, job.id, "cancel")
    if target is ImportState.UNDOING:
        _work(actor, row, "customers.undo")


def _undo(actor: Principal, row: Import, state: ImportState) -> None:
    if state is ImportState.DONE and (refused := undo_refusal(row)):
        raise ImportExpired(refused)
    _work(actor, row, "customers.undo")


def _work(actor: Principal, row: Import, kind: str) -> None:
    """Sees to it that a job of the kind is under way: the one that is, the one that stopped, or a new one."""
    job = job_of(row)
    if job is not None and job.kind == kind and not job.wish:
        match job.state:
            case "waiting" | "running":
                return
            case "paused":
                change_job(actor, job.id, "resume")
                return
            case "failed" | "cancelled":
                change_job(actor, job.id, "retry")
                return
    row.job_id = start_job(kind, {"import": row.id}, key=row.id, subject=("import", row.id)).id


def note_download(actor: Principal, row: Import, verdict: str | None) -> None:
    """Somebody took rows of a file, with what stands in them."""
    record(actor, "import.rows_downloaded", "import", row.id, {"verdict": verdict})
