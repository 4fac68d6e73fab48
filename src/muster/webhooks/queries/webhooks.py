"""Webhooks as they are listed, and who wants to be told what."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from muster.kernel.worded import worded
from muster.webhooks.errors import WebhookUnknown
from muster.webhooks.hooks import event_kinds
from muster.webhooks.models import Delivery, Webhook


@dataclass(frozen=True)
class WebhookView:
    """`waiting`: deliveries that are still to be sent. `disabled`: why Muster switched it off, "" if it did not."""

    id: str
    url: str
    description: str
    events: list[str]
    subjects: list[str]
    active: bool
    disabled: str
    revision: int
    failing_since: datetime | None
    held_until: datetime | None
    two_secrets_until: datetime | None
    waiting: int
    created_by: str
    created_at: datetime


def webhook_row(identifier: str) -> Webhook:
    row = Webhook.objects.filter(pk=identifier).first()
    if row is None:
        raise WebhookUnknown(worded("There is no webhook {webhook}.", webhook=identifier))
    return row


def webhook(identifier: str) -> WebhookView:
    row = _counted().filter(pk=identifier).first()
    if row is None:
        raise WebhookUnknown(worded("There is no webhook {webhook}.", webhook=identifier))
    return _view(row)


def webhooks() -> list[WebhookView]:
    """In the order in which they were made; there are never so many that they need pages."""
    return [_view(row) for row in _counted()]


def wanted_among(events: Collection[str], subjects: Iterable[str]) -> set[str]:
    """Of which of the subjects anybody is to be told one of the events: asked at every change, so it is one small
    question."""
    # To have Django put it together anew takes ten times as long as the answer.
    rows = list(Webhook.objects.raw("SELECT id, events, subjects FROM webhooks_webhook WHERE active"))
    return {one for one in subjects if any(wants(row, event, one) for row in rows for event in events)}


def wants(row: Webhook, event: str, subject: str) -> bool:
    return event in row.events and (not row.subjects or subject in row.subjects)


def subject_names() -> dict[str, str]:
    """What can be chosen to be told of, by id."""
    kinds = (kind.subjects for kind in event_kinds.values())
    return {one.id: one.name for subjects in dict.fromkeys(kinds) if subjects for one in subjects()}


def _counted() -> QuerySet[Webhook]:
    # By the index of those that are due: of all there may be millions.
    open_ones = Delivery.objects.filter(webhook=OuterRef("pk"), next_at__isnull=False).order_by().values("webhook")
    return Webhook.objects.annotate(waiting=Coalesce(Subquery(open_ones.annotate(n=Count("*")).values("n")), 0))


def _view(row: Webhook) -> WebhookView:
    return WebhookView(
        id=row.id,
        url=row.url,
        description=row.description,
        events=list(row.events),
        subjects=list(row.subjects),
        active=row.active,
        disabled=row.disabled,
        revision=row.revision,
        failing_since=row.failing_since,
        held_until=row.held_until,
        two_secrets_until=row.secret_before_until,
        waiting=getattr(row, "waiting", 0),
        created_by=row.created_by,
        created_at=row.created_at,
    )


def host_of(url: str) -> str:
    """What an address is called where not everybody may know its path, which may be secret."""
    return urlsplit(url).netloc
