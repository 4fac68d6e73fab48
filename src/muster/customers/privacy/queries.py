"""Privacy as it stands: erasures with their receipts, exports, suppressions, consents, how long things are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from muster.customers.errors import ErasureUnknown, ExportUnknown, SuppressionUnknown
from muster.customers.hooks import current_ledger
from muster.customers.models import Erasure, Export, PrivacySettings, Suppression
from muster.customers.queries import customer, warehouse
from muster.customers.terms import OPEN_ERASURES
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id
from muster.kernel.paging import instant_and_id
from muster.kernel.worded import worded
from muster.warehouse.subject import Name

SETTINGS = (
    "grace_hours",
    "events_months",
    "anonymous_months",
    "rejects_days",
    "verdict_days",
    "exports_days",
    "under_age_data",
)
_MOST_SHOWN = 100
_MOST_EXPORTS = 10


@dataclass(frozen=True)
class Kept:
    """How long things are kept (C-48), minors at all (C-15), and for how long an erasure can be withdrawn."""

    grace_hours: int
    events_months: int
    anonymous_months: int
    rejects_days: int
    verdict_days: int
    exports_days: int
    under_age_data: str
    revision: int


@dataclass(frozen=True)
class ErasureView:
    """`customers`: the first hundred ids. `places`: how far each is; `receipt` when it is done."""

    id: str
    state: str
    customer_count: int
    customers: list[str]
    requested_at: datetime
    requested_by: str
    due_at: datetime
    erased_at: datetime | None
    retry_at: datetime | None
    done_at: datetime | None
    places: dict[str, Any]
    receipt: dict[str, Any] | None
    receipt_sha256: str | None
    job: str


@dataclass(frozen=True)
class ExportView:
    """`state`: waiting, ready or expired."""

    id: str
    state: str
    customer: str
    requested_at: datetime
    requested_by: str
    ready_at: datetime | None
    expires_at: datetime
    bytes: int
    job: str


@dataclass(frozen=True)
class SuppressionView:
    """`identity` is null of somebody who was erased: the suppression still holds."""

    id: str
    kind: str
    identity: str | None
    reason: str
    since: datetime
    made_by: str


def kept() -> Kept:
    row = PrivacySettings.objects.filter(id=1).first() or PrivacySettings(id=1)
    return Kept(**{name: getattr(row, name) for name in (*SETTINGS, "revision")})


def erasure_row(identifier: str) -> Erasure:
    row = Erasure.objects.filter(id=identifier).first()
    if row is None:
        raise ErasureUnknown(
            worded("There is no erasure `{identifier}`. They are listed at /api/v1/erasures.", identifier=identifier)
        )
    return row


def erasures(before: tuple[str, str] | None, limit: int) -> list[ErasureView]:
    """Newest first; `before`: requested_at (ISO) and id of the last one seen."""
    return [erasure_view(row) for row in _page(Erasure.objects.all(), "requested_at", before, limit)]


def erasure_view(row: Erasure) -> ErasureView:
    keys = BitMap.deserialize(bytes(row.keys))
    return ErasureView(
        id=row.id,
        state=row.state,
        customer_count=row.customer_count,
        customers=[customer_id(key) for key in keys[:_MOST_SHOWN]],
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        due_at=row.due_at,
        erased_at=row.erased_at,
        retry_at=row.retry_at,
        done_at=row.done_at,
        places=row.places,
        receipt=row.receipt,
        receipt_sha256=row.receipt_digest or None,
        job=row.job_id,
    )


def export_row(identifier: str) -> Export:
    row = Export.objects.filter(id=identifier).first()
    if row is None:
        raise ExportUnknown(worded("There is no export `{identifier}`.", identifier=identifier))
    return row


def export_view(row: Export) -> ExportView:
    expired = row.deleted_at is not None or row.expires_at <= system_clock()
    return ExportView(
        id=row.id,
        state="expired" if expired else "waiting" if row.ready_at is None else "ready",
        customer=customer_id(row.customer_key),
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        ready_at=row.ready_at,
        expires_at=row.expires_at,
        bytes=row.bytes,
        job=row.job_id,
    )


def suppression_row(identifier: str) -> Suppression:
    row = Suppression.objects.filter(id=identifier).first()
    if row is None:
        raise SuppressionUnknown(
            worded(
                "There is no suppression `{identifier}`. They are listed at /api/v1/suppressions.",
                identifier=identifier,
            )
        )
    return row


def suppressions(before: tuple[str, str] | None, limit: int) -> list[SuppressionView]:
    """Newest first; `before`: since (ISO) and id of the last one seen."""
    return [suppression_view(row) for row in _page(Suppression.objects.all(), "since", before, limit)]


def suppression_view(row: Suppression) -> SuppressionView:
    return SuppressionView(row.id, row.kind, row.identity, row.reason, row.since, row.made_by)


def suppressed(names: Iterable[Name]) -> set[Name]:
    """Those of the names no message may reach, also of people who were erased; asked before every send (C-14)."""
    ledger = current_ledger()
    by_mark = {ledger.mark(name): name for name in names}
    marks = list(by_mark)
    found: set[Name] = set()
    for start in range(0, len(marks), 500):
        rows = Suppression.objects.filter(mark__in=marks[start : start + 500])
        found |= {by_mark[mark] for mark in rows.values_list("mark", flat=True)}
    return found


@dataclass(frozen=True)
class ConsentView:
    """An entry of the log. `about`: purpose, and of marketing the channel after a point."""

    about: str
    granted: bool
    text_version: str
    trust: str
    at: datetime
    source: int | None


def consents_of(key: int) -> list[ConsentView]:
    """The log of one customer, newest first."""
    rows = warehouse().raw_rows(BitMap([key]), ["consents"])["consents"]
    return [
        ConsentView(
            about=".".join(part for part in (row["purpose"], row["channel"]) if part),
            granted=row["granted"],
            text_version=row["text_version"] or "",
            trust=row["trust"],
            at=datetime.fromisoformat(row["happened_at"]),
            source=row["import"],
        )
        for row in reversed(rows)
    ]


def exports_of(key: int) -> list[ExportView]:
    """What was put together of a customer, newest first."""
    return [export_view(row) for row in Export.objects.filter(customer_key=key)[:_MOST_EXPORTS]]


def open_erasure_of(key: int) -> ErasureView | None:
    """The order to erase the customer that is not worked off yet."""
    for row in Erasure.objects.filter(state__in=OPEN_ERASURES):
        if key in BitMap.deserialize(bytes(row.keys)):
            return erasure_view(row)
    return None


def consents(reference: str) -> list[dict[str, Any]]:
    """The log of one customer, oldest first."""
    key = customer(reference).customer_key
    return warehouse().raw_rows(BitMap([key]))["consents"]


def _page(rows: Any, column: str, before: Any, limit: int) -> Any:
    if before is not None:
        at, identifier = instant_and_id(before)
        rows = rows.filter(**{f"{column}__lte": at}).exclude(**{column: at, "id__gte": identifier})
    return rows[:limit]
