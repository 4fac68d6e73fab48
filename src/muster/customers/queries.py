"""Customers as they stand, and imports on their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from muster.catalog.queries import warehouse_catalog
from muster.customers.errors import CustomerUnknown, ImportUnknown
from muster.customers.hooks import current_warehouse
from muster.customers.models import Import
from muster.kernel.ids import customer_id, customer_key_of
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.files.mapping import read_mapping, read_source
from muster.warehouse.files.reading import open_rows
from muster.warehouse.files.stage import Judged, Stage
from muster.warehouse.port import Person


@dataclass(frozen=True)
class ImportView:
    id: str
    kind: str
    file_name: str
    state: str
    reason: str
    rows: int
    counts: dict[str, int]
    warnings: dict[str, int]
    items: int
    applied: int
    job: str
    created_at: datetime
    checked_at: datetime | None
    done_at: datetime | None


def warehouse() -> DuckDBWarehouse:
    """The warehouse, reading by the catalog as it is now: numbers of apps and columns of attributes come from there."""
    found = current_warehouse()
    found.use_catalog(warehouse_catalog())
    return found


def customer_key(reference: str) -> int | None:
    """The key of `cus_...`, `external:...` or a verified e-mail address; None if there is nobody.

    The id of a merged customer answers with the survivor (C-7).
    """
    known = current_warehouse()
    if reference.startswith("cus_"):
        try:
            return known.survivor_of(customer_key_of(reference))
        except ValueError:
            return None
    if reference.startswith("external:"):
        return known.find_external(reference.removeprefix("external:"))
    return known.find_email(reference) if "@" in reference else known.find_external(reference)


def customer(reference: str) -> Person:
    """One person with everything known; `customer_unknown` if there is nobody."""
    key = customer_key(reference)
    person = None if key is None else warehouse().person(key)
    if person is None:
        raise CustomerUnknown(
            f"There is no customer `{reference}`. Name one by id (cus_2f), by `external:` and the publisher's own id,"
            " or by e-mail address."
        )
    return person


def find_customers(search: str) -> list[str]:
    """Ids of the customers a text names; none is no error."""
    key = customer_key(search.strip()) if search.strip() else None
    return [] if key is None else [customer_id(key)]


def import_row(identifier: str) -> Import:
    row = Import.objects.filter(id=identifier).first()
    if row is None:
        raise ImportUnknown(f"There is no import `{identifier}`. They are listed at /api/v1/imports.")
    return row


def imports(limit: int = 50) -> list[ImportView]:
    """Newest first."""
    return [import_view(row) for row in Import.objects.all()[:limit]]


def import_view(row: Import) -> ImportView:
    counts: dict[str, Any] = row.counts
    return ImportView(
        id=row.id,
        kind=row.kind,
        file_name=row.file_name,
        state=row.state,
        reason=row.reason,
        rows=row.row_count,
        counts=counts,
        warnings=row.warnings,
        items=row.item_count,
        applied=row.applied_count,
        job=row.job_id,
        created_at=row.created_at,
        checked_at=row.checked_at,
        done_at=row.done_at,
    )


def verdicts(
    identifier: str, *, verdict: str | None = None, cursor: str | None = None, limit: int = 100
) -> tuple[list[Judged], str | None]:
    """The rows of an import with their verdicts, in order of the file, and the cursor of what follows."""
    row = import_row(identifier)
    after = decode_cursor(cursor) if cursor else 0
    if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after < 2**32:
        raise cursor_invalid()
    rows = open_rows(import_directory(row.id) / "file", read_source(row.mapping.get("source")))
    with Stage(import_directory(row.id), read_mapping(row.mapping, rows.columns)) as stage:
        found = stage.rows(verdict, after, limit + 1)
    following = encode_cursor(found[limit - 1].row) if len(found) > limit else None
    return found[:limit], following


def import_directory(identifier: str) -> Path:
    """Where the file and the stage of an import lie."""
    directory: Path = settings.MUSTER.import_directory
    return directory / identifier
