"""Customers as they stand, and imports on their way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.conf import settings

from muster.catalog.hooks import AppFigures, Seen
from muster.catalog.queries import app_numbers, free_event_count, warehouse_catalog
from muster.customers import hooks
from muster.customers.errors import CustomerUnknown, ImportExpired, ImportStateWrong, ImportUnknown
from muster.customers.hooks import current_warehouse
from muster.customers.models import Import, Suppression
from muster.customers.terms import EVENTS, EXPIRES_AFTER_HOURS, IMPORT_STATES, KEPT_DAYS, ImportState
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id, customer_key_of
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.kernel.text import key_of
from muster.kernel.worded import worded
from muster.rules.vocabulary import Type
from muster.warehouse.batch import Rate
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.files.mapping import read_mapping, read_source
from muster.warehouse.files.reading import open_rows
from muster.warehouse.files.stage import Judged, Stage, nameless
from muster.warehouse.lists.entries import EntryKind
from muster.warehouse.port import Person
from muster.web.errors import NotFound
from muster.web.queries import JobView, job_view


@dataclass(frozen=True)
class ImportView:
    """`number`: the source of its rows; `digest`: SHA-256 of the file; `job`: the job under way, or the last one."""

    id: str
    number: int
    kind: str
    file_name: str
    digest: str
    state: str
    reason: str
    rows: int
    counts: dict[str, int]
    warnings: dict[str, int]
    facts: dict[str, Any]
    items: int
    applied: int
    job: str
    created_at: datetime
    checked_at: datetime | None
    done_at: datetime | None
    undone_at: datetime | None


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
            worded(
                "There is no customer `{reference}`. Name one by id (cus_2f), by `external:` and the"
                " publisher's own id, or by e-mail address.",
                reference=reference,
            )
        )
    return person


def find_customers(search: str) -> list[str]:
    """Ids of the customers a text names; none is no error."""
    key = customer_key(search.strip()) if search.strip() else None
    return [] if key is None else [customer_id(key)]


def import_row(identifier: str) -> Import:
    row = Import.objects.filter(id=identifier).first()
    if row is None:
        raise ImportUnknown(
            worded("There is no import `{identifier}`. They are listed at /api/v1/imports.", identifier=identifier)
        )
    return row


def imports(before: int | None, limit: int, kinds: Collection[str] | None = None) -> list[ImportView]:
    """Newest first; `before`: the number of the last one seen."""
    rows = Import.objects.all() if before is None else Import.objects.filter(number__lt=before)
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    return [import_view(row) for row in rows[:limit]]


def current_state(row: Import) -> tuple[ImportState, str]:
    """The state and its reason: what was asked for last, and what time and the job have made of it since.

    A job is paused, dies or is cancelled by itself or at its own door, so what it is at is told by the job alone.
    """
    state = ImportState(row.state)
    if state is ImportState.CHECKED and _is_old(row):
        return EVENTS["a day passed"][state], ""
    if state not in (ImportState.CHECKING, ImportState.APPLYING):
        return state, row.reason
    job = job_of(row)
    reason = row.reason or (": ".join(job.error) if job and job.error else "")
    if state is ImportState.CHECKING:
        ended = job is None or job.state in ("failed", "cancelled")
        return (EVENTS["unreadable"][state], reason) if ended else (state, "")
    stopped = job is None or bool(job.wish) or job.state in ("paused", "failed", "cancelled")
    return (EVENTS["stopped"][state], reason) if stopped else (state, "")


def job_of(row: Import) -> JobView | None:
    """The job that works on the import, or did last."""
    try:
        return job_view(row.job_id)
    except NotFound:
        return None


def _is_old(row: Import) -> bool:
    assert row.checked_at is not None
    return system_clock() - row.checked_at > timedelta(hours=EXPIRES_AFTER_HOURS)


def first_sent_at(row: Import) -> datetime:
    """When the file came first: what a file says without a time it said then, however often it is sent (C-47)."""
    earlier = Import.objects.filter(digest=row.digest, created_at__lt=row.created_at).order_by("created_at").first()
    return (earlier or row).created_at


def import_view(row: Import) -> ImportView:
    counts: dict[str, Any] = row.counts
    state, reason = current_state(row)
    return ImportView(
        id=row.id,
        number=row.number,
        kind=row.kind,
        file_name=row.file_name,
        digest=row.digest,
        state=state,
        reason=reason,
        rows=row.row_count,
        counts=counts,
        warnings=row.warnings,
        facts=row.facts,
        items=row.item_count,
        applied=row.applied_count,
        job=row.job_id,
        created_at=row.created_at,
        checked_at=row.checked_at,
        done_at=row.done_at,
        undone_at=row.undone_at,
    )


def verdicts(
    identifier: str, *, verdict: str | None = None, cursor: str | None = None, limit: int = 100
) -> tuple[list[Judged], str | None]:
    """The rows of an import with their verdicts, in order of the file, and the cursor of what follows."""
    row = import_row(identifier)
    after = decode_cursor(cursor) if cursor else 0
    if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after < 2**32:
        raise cursor_invalid()
    check_file(row)
    if row.checked_at is None:
        raise ImportStateWrong(
            worded(
                "Import {identifier} is {state}; its rows have not been judged.",
                identifier=identifier,
                state=IMPORT_STATES[current_state(row)[0]],
            )
        )
    if row.kind in hooks.import_kinds:
        found = hooks.import_kinds[row.kind].rows(row, verdict, after, limit + 1)
        return found[:limit], encode_cursor(found[limit - 1].row) if len(found) > limit else None
    rows = open_rows(import_directory(row.id) / "file", read_source(row.mapping.get("source")))
    with Stage(import_directory(row.id), read_mapping(row.mapping, rows.columns)) as stage:
        found = stage.rows(verdict, after, limit + 1)
    following = encode_cursor(found[limit - 1].row) if len(found) > limit else None
    return found[:limit], following


def judge_names(names: Sequence[str]) -> dict[str, str]:
    """From names of events, in order of the file, to the reason for each that is not taken (C-1, C-4)."""
    refused = nameless(names)
    known = warehouse_catalog()
    room = free_event_count()
    taken: set[str] = set()
    for name in names:
        if name in refused or known.knows_event(name):
            continue
        key = key_of(name)
        if key not in taken and len(taken) >= room:
            refused[name] = "event_limit"
        else:
            taken.add(key)
    return refused


def undo_refusal(row: Import) -> str:
    """Why an import that was applied cannot be undone any more; nothing if it can."""
    assert row.done_at is not None
    if system_clock() - row.done_at > timedelta(days=KEPT_DAYS):
        return worded(
            "Import {id} was applied more than {days} days ago; it cannot be undone.", id=row.id, days=KEPT_DAYS
        )
    try:
        check_file(row)
    except ImportExpired as error:
        return error.message
    return ""


def check_file(row: Import) -> Path:
    """The uploaded file; `import_expired` once it has been deleted."""
    path = import_directory(row.id) / "file"
    if not path.exists():
        raise ImportExpired(
            worded(
                "The file of {id} was deleted: after {days} days, or because it named somebody who was"
                " erased. Import it again.",
                id=row.id,
                days=KEPT_DAYS,
            )
        )
    return path


def import_states(database: str = "default") -> dict[str, str]:
    """The state of every import by its id; also in a copy of the control database, by another alias."""
    return dict(Import.objects.using(database).values_list("id", "state"))


def import_directory(identifier: str) -> Path:
    """Where the file and the stage of an import lie."""
    directory: Path = settings.MUSTER.import_directory
    return directory / identifier


def app_figures() -> dict[str, AppFigures]:
    """How many customers each app has, and its newest use."""
    names = {number: key for key, number in app_numbers().items()}
    found = current_warehouse().app_figures()
    return {names[number]: AppFigures(*told) for number, told in found.items() if number in names}


def event_figures(app_key: str) -> dict[str, Seen]:
    """How often each event happened in an app, and when last."""
    known = warehouse_catalog()
    found = current_warehouse().event_figures(known.apps[app_key].number)
    return {known.event_keys[number]: Seen(*told) for number, told in found.items() if number in known.event_keys}


def values_lost(attribute: str, old: Type, new: Type) -> int:
    """How many customers' values of an attribute another type cannot hold."""
    return current_warehouse().values_lost(attribute, old, new)


def rates(before: Any, currency: str | None, limit: int) -> list[Rate]:
    """Rates in force, newest day first; `before`: day (ISO) and currency of the last one seen."""
    try:
        after = None if before is None else (date.fromisoformat(before[0]), str(before[1]))
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise cursor_invalid() from error
    return current_warehouse().rates(after, currency.strip().upper() if currency else None, limit)


def suppressed_identities() -> pa.Table:
    """(kind, identity) of what no message may reach (C-14), as entries of lists are named; the erased aside."""
    kinds = {"email": EntryKind.EMAIL, "external": EntryKind.EXTERNAL}
    rows = Suppression.objects.exclude(identity=None).values_list("kind", "identity")
    found = [(int(kinds[kind]), identity) for kind, identity in rows.iterator()]
    return pa.table(
        {
            "kind": pa.array([kind for kind, _ in found], pa.uint8()),
            "identity": pa.array([identity for _, identity in found], pa.string()),
        }
    )


def any_customer() -> bool:
    """Whether there has ever been one."""
    return warehouse().highest_key() > 0
