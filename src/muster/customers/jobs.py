"""The two halves of an import: the dry run, and the application in chunks that a crash only interrupts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from fractions import Fraction
from typing import Any

from muster.catalog.queries import warehouse_catalog
from muster.customers import hooks
from muster.customers.actions import declare_observed, mapping_of
from muster.customers.hooks import current_warehouse
from muster.customers.models import Import
from muster.customers.queries import import_directory, import_row
from muster.customers.terms import ImportState
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog
from muster.warehouse.files.batches import batches_from
from muster.warehouse.files.mapping import ImportMapping
from muster.warehouse.files.stage import Stage
from muster.web.hooks import RunningJob


def check_import(job: RunningJob) -> dict[str, Any]:
    """Judges every row (C-36). Repeated from the start after a crash: it changes nothing but the stage."""
    row = import_row(job.parameters["import"])
    with _failing(row):
        mapping, rows = mapping_of(row)
        apps = warehouse_catalog().apps
        app_key = apps[mapping.app].number if mapping.app else 0

        def progress(read: int) -> None:
            job.progress(read)
            job.check()

        with Stage(import_directory(row.id), mapping) as stage:
            counts = stage.fill(rows, row.digest, current_warehouse(), app_key, progress)
            items = stage.item_count()
    changed = Import.objects.filter(id=row.id, state=ImportState.CHECKING).update(
        state=ImportState.CHECKED,
        counts=counts,
        row_count=sum(counts.values()),
        item_count=items,
        checked_at=system_clock(),
    )
    return {"counts": counts, "changed": bool(changed)}


def apply_import(job: RunningJob) -> dict[str, Any]:
    """Applies the items in chunks, each one transaction of the warehouse together with how far it came (C-37)."""
    row = import_row(job.parameters["import"])
    with _failing(row):
        mapping, _ = mapping_of(row)
        with Stage(import_directory(row.id), mapping) as stage, current_warehouse().frugal():
            names = stage.distinct_texts("event") if mapping.kind == "events" else []
            catalog = declare_observed(mapping, names)
            if mapping.kind == "rates":
                _put_rates(stage, mapping, catalog)
            else:
                _append_chunks(job, row, stage, mapping, catalog)
            total = stage.item_count()
    Import.objects.filter(id=row.id).update(
        state=ImportState.DONE, applied_count=total, done_at=system_clock(), reason=""
    )
    for changed in hooks.data_changed:
        changed()
    return {"applied": total}


def _append_chunks(job: RunningJob, row: Import, stage: Stage, mapping: ImportMapping, catalog: Catalog) -> None:
    warehouse = current_warehouse()
    cursor = f"import:{row.id}"
    total = stage.item_count()
    # The warehouse knows how far it came: it commits first, this database only tells people about it.
    start = int(warehouse.cursors().get(cursor, 0))
    warnings = Counter(row.warnings)
    chunks = batches_from(stage, mapping, catalog, start, source=row.number, received_at=row.created_at)
    for batch, reached in chunks:
        # Customers of one chunk return in the next: their facts are derived once, when all is there.
        outcome = warehouse.append(batch, catalog, {cursor: reached}, derive=False)
        warnings.update(outcome.warnings)
        applied = min(reached, total)
        Import.objects.filter(id=row.id).update(applied_count=applied, warnings=dict(warnings))
        job.progress(applied, total)
        job.check()
    warehouse.derive_stale(catalog)


def _put_rates(stage: Stage, mapping: ImportMapping, catalog: Catalog) -> None:
    per_base = mapping.options["direction"] == "per_base"
    rates = [_rate(one, per_base=per_base) for one in stage.items(0, stage.end()).to_pylist()]
    current_warehouse().put_rates(rates, catalog)


def _rate(unit: dict[str, Any], *, per_base: bool) -> Rate:
    day: date = unit["day"]
    said = Fraction(unit["rate"])
    return Rate(day, unit["currency"], 1 / said if per_base else said)


@contextmanager
def _failing(row: Import) -> Iterator[None]:
    """What the file or its mapping is to blame for ends the import, with the reason; everything else the job."""
    try:
        yield
    except MusterError as error:
        Import.objects.filter(id=row.id).update(state=ImportState.FAILED, reason=f"{error.code}: {error.message}")
        raise
