"""The two halves of an import: the dry run, and the application in chunks that a crash only interrupts."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyroaring import BitMap

from muster.catalog.queries import warehouse_catalog
from muster.customers import hooks
from muster.customers.actions.facts import announce_change
from muster.customers.actions.mappings import mapping_of
from muster.customers.actions.observed import declare_observed, forget_observed
from muster.customers.hooks import current_warehouse
from muster.customers.models import Import
from muster.customers.queries import first_sent_at, import_directory, import_row, judge_names
from muster.customers.terms import EVENTS, ImportState
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.warehouse.catalog import Catalog
from muster.warehouse.files.batches import batches_from
from muster.warehouse.files.mapping import ImportMapping
from muster.warehouse.files.stage import Stage
from muster.web.hooks import RunningJob


def check_import(job: RunningJob) -> dict[str, Any]:
    """Judges every row (C-36). Repeated from the start after a crash: it changes nothing but the stage."""
    row = import_row(job.parameters["import"])
    kind = hooks.import_kinds.get(row.kind)
    with _failing(row):
        counts, items = kind.check(row, job) if kind else _check_items(row, job)
    changed = Import.objects.filter(id=row.id, state=ImportState.CHECKING).update(
        state=EVENTS["rows read"][ImportState.CHECKING],
        counts=counts,
        row_count=sum(counts.values()),
        item_count=items,
        checked_at=system_clock(),
    )
    return {"counts": counts, "changed": bool(changed)}


def _check_items(row: Import, job: RunningJob) -> tuple[dict[str, int], int]:
    mapping, rows = mapping_of(row)
    apps = warehouse_catalog().apps
    app_key = apps[mapping.app].number if mapping.app else 0

    def progress(read: int) -> None:
        job.progress(read)
        job.check()

    with Stage(import_directory(row.id), mapping) as stage:
        counts = stage.fill(
            rows, row.digest, current_warehouse(), app_key, progress, judge_names, said_at=first_sent_at(row)
        )
        return counts, stage.item_count()


def apply_import(job: RunningJob) -> dict[str, Any]:
    """Applies the items in chunks, each one transaction of the warehouse together with how far it came (C-37)."""
    row = import_row(job.parameters["import"])
    if row.state != ImportState.APPLYING:
        return {"applied": row.applied_count}
    kind = hooks.import_kinds.get(row.kind)
    touched = BitMap()
    with _explaining(row):
        if kind:
            total = kind.apply(row, job)
        else:
            total, touched = _apply_items(row, job)
    # Whoever cancelled it meanwhile has it undone next.
    Import.objects.filter(id=row.id, state=ImportState.APPLYING).update(
        state=EVENTS["last chunk"][ImportState.APPLYING], applied_count=total, done_at=system_clock(), reason=""
    )
    if kind is None:
        announce_change(touched)
    return {"applied": total}


def _apply_items(row: Import, job: RunningJob) -> tuple[int, BitMap]:
    """Answers the items, and whose rows may have changed."""
    mapping, _ = mapping_of(row)
    with Stage(import_directory(row.id), mapping) as stage, current_warehouse().frugal():
        names = stage.distinct_texts("event") if mapping.kind == "events" else []
        catalog = declare_observed(row, mapping, names)
        if mapping.kind == "rates":
            touched = current_warehouse().put_rates(stage.rates(), catalog, source=row.number)
        else:
            touched = _append_chunks(job, row, stage, mapping, catalog)
        return stage.item_count(), touched


def undo_import(job: RunningJob) -> dict[str, Any]:
    """Takes out what the import brought; each step may be repeated, so a crash between any two costs nothing."""
    row = import_row(job.parameters["import"])
    if row.state != ImportState.UNDOING:
        return {"customers": 0}
    job.progress(0, row.applied_count)
    touched = _undo(row)
    Import.objects.filter(id=row.id, state=ImportState.UNDOING).update(
        state=EVENTS["rows out"][ImportState.UNDOING], applied_count=0, undone_at=system_clock(), reason=""
    )
    if row.kind not in hooks.import_kinds:
        announce_change(touched)
    job.progress(row.applied_count, row.applied_count)
    return {"customers": len(touched)}


def _undo(row: Import) -> BitMap:
    """Answers whose rows may have changed."""
    if row.kind in hooks.import_kinds:
        hooks.import_kinds[row.kind].undo(row)
        return BitMap()
    with current_warehouse().frugal():
        touched = current_warehouse().remove_source(row.number, warehouse_catalog(), cursor=cursor_of(row))
    forget_observed(row)
    return touched


def take_out(identifier: str) -> None:
    """An import with all it brought, its file and its own entry, however old it is; may be repeated.

    Of a kind of another room what it brought is that room's to remove.
    """
    row = Import.objects.filter(id=identifier).first()
    if row is None:
        return
    if row.kind not in hooks.import_kinds:
        _undo(row)
    shutil.rmtree(import_directory(row.id), ignore_errors=True)
    row.delete()


def _append_chunks(job: RunningJob, row: Import, stage: Stage, mapping: ImportMapping, catalog: Catalog) -> BitMap:
    warehouse = current_warehouse()
    cursor = cursor_of(row)
    total = stage.item_count()
    # The warehouse knows how far it came: it commits first, this database only tells people about it.
    start = int(warehouse.cursors().get(cursor, 0))
    warnings = Counter(row.warnings)
    chunks = batches_from(stage, mapping, catalog, start, source=row.number, received_at=row.created_at)
    for batch, reached in chunks:
        # Customers of one chunk return in the next: their facts are derived once, when all is there.
        outcome = warehouse.append(batch, catalog, {cursor: reached}, derive=False)
        for told in hooks.identities_changed:
            told(outcome.identities, outcome.merges)
        warnings.update(outcome.warnings)
        applied = min(reached, total)
        Import.objects.filter(id=row.id).update(applied_count=applied, warnings=dict(warnings))
        job.progress(applied, total)
        job.check()
    return warehouse.derive_stale(catalog)


def derive_all(job: RunningJob) -> dict[str, Any]:
    """Derives every fact again after a change of the publisher's settings (C-5), rates told in the new currency."""
    old, new = job.parameters["old_currency"], job.parameters["new_currency"]
    warehouse = current_warehouse()
    if old != new:
        warehouse.restate_rates(old, new)
    with warehouse.frugal():
        touched = warehouse.rederive(None, warehouse_catalog())
    announce_change()
    return {"customers": len(touched)}


def cursor_of(row: Import) -> str:
    """The name under which the warehouse notes how far the import came."""
    return f"import:{row.id}"


@contextmanager
def _failing(row: Import) -> Iterator[None]:
    """What the file or its mapping is to blame for ends the import, with the reason; everything else the job."""
    try:
        yield
    except MusterError as error:
        reason = f"{error.code}: {error.message}"
        Import.objects.filter(id=row.id, state=ImportState.CHECKING).update(
            state=EVENTS["unreadable"][ImportState.CHECKING], reason=reason
        )
        raise


@contextmanager
def _explaining(row: Import) -> Iterator[None]:
    """What stops an application is told with the import, which can go on once it is mended."""
    try:
        yield
    except MusterError as error:
        Import.objects.filter(id=row.id).update(reason=f"{error.code}: {error.message}")
        raise


def compact(job: RunningJob) -> dict[str, Any]:
    """Puts the warehouse in order, if there is enough to do; looked for once a day. A crash goes on where it was."""
    return {"compacted": current_warehouse().compact(job.check, job.progress)}
