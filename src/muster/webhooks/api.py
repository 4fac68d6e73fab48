"""REST: webhooks, their deliveries, and sending those again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from muster.team.api import asker, permitted
from muster.web.idempotency import show_once
from muster.web.paging import DEFAULT_LIMIT, Limit, Page, page_of, read_page, revision_of
from muster.webhooks import hooks, schemas
from muster.webhooks.actions import emitting, replaying
from muster.webhooks.actions import webhooks as actions
from muster.webhooks.policies import may_read
from muster.webhooks.queries import deliveries as reads
from muster.webhooks.queries.webhooks import webhook, webhooks

router = Router(tags=["webhooks"])
_READ = "webhooks:read"

State = Literal["waiting", "sent", "failed", "given_up"]


@router.get("/webhooks", response=Page[schemas.WebhookOut], operation_id="list_webhooks")
def list_webhooks(request: HttpRequest, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    permitted(request, _READ)
    return page_of(webhooks(), cursor, limit, lambda one: one.id)


@router.get("/webhooks/events", response=schemas.EventKindList, operation_id="list_webhook_events")
def list_events(request: HttpRequest) -> Any:
    """What one can be told of."""
    permitted(request, _READ)
    kinds = hooks.event_kinds.values()
    return {"items": [{"key": one.key, "label": str(one.label), "scope": one.scope} for one in kinds]}


@router.post("/webhooks", response={201: schemas.WebhookMade}, operation_id="create_webhook")
def create_webhook(request: HttpRequest, body: schemas.WebhookIn) -> Any:
    """`secret` of the answer is shown this once."""
    show_once(request)
    made, secret = actions.create_webhook(asker(request), **body.model_dump())
    return Status(201, {**asdict(made), "secret": secret})


@router.get("/webhooks/{webhook_id}", response=schemas.WebhookOut, operation_id="show_webhook")
def show_webhook(request: HttpRequest, webhook_id: str) -> Any:
    permitted(request, _READ)
    return webhook(webhook_id)


@router.patch("/webhooks/{webhook_id}", response=schemas.WebhookOut, operation_id="edit_webhook")
def edit_webhook(request: HttpRequest, webhook_id: str, body: schemas.WebhookEdit) -> Any:
    """`active: true` switches it on again; deliveries given up meanwhile can be replayed."""
    changes = {name: value for name, value in body.model_dump().items() if value is not None}
    return actions.edit_webhook(asker(request), webhook_id, revision=revision_of(request), **changes)


@router.delete("/webhooks/{webhook_id}", response={204: None}, operation_id="delete_webhook")
def delete_webhook(request: HttpRequest, webhook_id: str) -> Any:
    actions.delete_webhook(asker(request), webhook_id)
    return Status(204, None)


@router.post("/webhooks/{webhook_id}/rotate", response=schemas.WebhookMade, operation_id="rotate_webhook_secret")
def rotate(request: HttpRequest, webhook_id: str, body: schemas.RotateIn) -> Any:
    """A new `secret`, shown this once; for 24 hours deliveries are signed with the one before, too."""
    show_once(request)
    changed, secret = actions.rotate_secret(asker(request), webhook_id, at_once=body.at_once)
    return {**asdict(changed), "secret": secret}


@router.post("/webhooks/{webhook_id}/test", response={202: schemas.DeliveryOut}, operation_id="test_webhook")
def test(request: HttpRequest, webhook_id: str) -> Any:
    """Sends a `webhook.test`, whatever events are chosen."""
    return Status(202, emitting.send_test(asker(request), webhook_id))


@router.post("/webhooks/{webhook_id}/replay", response={202: schemas.ReplayOut}, operation_id="replay_webhook")
def replay_failed(request: HttpRequest, webhook_id: str, body: schemas.ReplayIn) -> Any:
    """Everything since an instant that failed or was given up. An instant without an offset is UTC."""
    since = body.since if body.since.tzinfo else body.since.replace(tzinfo=UTC)
    return Status(202, {"deliveries": replaying.replay_failed(asker(request), webhook_id, since)})


@router.get(
    "/webhooks/{webhook_id}/deliveries", response=Page[schemas.DeliveryOut], operation_id="list_webhook_deliveries"
)
def list_deliveries(
    request: HttpRequest,
    webhook_id: str,
    state: State | None = None,
    cursor: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """Newest first, without bodies; they are kept for 30 days."""
    permitted(request, _READ)
    page = reads.deliveries(webhook_id, state=state or "", limit=limit, before=cursor)
    return {"items": page.items, "next_cursor": page.older}


@router.get(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}",
    response=schemas.DeliveryWithBody,
    operation_id="show_webhook_delivery",
)
def show_delivery(request: HttpRequest, webhook_id: str, delivery_id: str) -> Any:
    principal = permitted(request, _READ)
    row = reads.delivery_row(webhook_id, delivery_id)
    body = row.body if may_read(principal, row.event) else ""
    return {**asdict(reads.delivery_view(row)), "body": body}


@router.get(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/attempts",
    response=Page[schemas.AttemptOut],
    operation_id="list_webhook_attempts",
)
def list_attempts(
    request: HttpRequest, webhook_id: str, delivery_id: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT
) -> Any:
    """Newest first."""
    permitted(request, _READ)
    row = reads.delivery_row(webhook_id, delivery_id)
    rows, following = read_page(
        cursor, limit, lambda before, count: reads.attempts(row.id, before, count), lambda one: one.id
    )
    return {"items": [reads.attempt_view(one) for one in rows], "next_cursor": following}


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    response={202: schemas.DeliveryOut},
    operation_id="replay_webhook_delivery",
)
def replay_delivery(request: HttpRequest, webhook_id: str, delivery_id: str) -> Any:
    """Once more, under the same `webhook-id`."""
    return Status(202, replaying.replay(asker(request), webhook_id, delivery_id))
