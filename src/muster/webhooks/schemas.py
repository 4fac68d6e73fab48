"""What the API of webhooks takes and gives."""

from __future__ import annotations

from datetime import datetime

from ninja import Schema
from pydantic import ConfigDict

from muster.web.schemas import Instant


class WebhookIn(Schema):
    """`subjects`: ids or keys of what the events are to be about, here customer groups; none for all."""

    model_config = ConfigDict(extra="forbid")

    url: str
    events: list[str]
    subjects: list[str] = []
    description: str = ""


class WebhookEdit(Schema):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = None
    events: list[str] | None = None
    subjects: list[str] | None = None
    description: str | None = None
    active: bool | None = None


class WebhookOut(Schema):
    """`disabled`: why Muster switched it off. `waiting`: deliveries still to be sent."""

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


class WebhookMade(WebhookOut):
    """`secret` is shown this once."""

    secret: str


class RotateIn(Schema):
    """`at_once`: the secret before is not signed with any more, because it leaked."""

    model_config = ConfigDict(extra="forbid")

    at_once: bool = False


class EventKindOut(Schema):
    """`scope`: what is needed to be told of it."""

    key: str
    label: str
    scope: str


class EventKindList(Schema):
    items: list[EventKindOut]


class DeliveryOut(Schema):
    """`status`, `error`: of the last attempt. `kept`: whether it could be replayed."""

    id: str
    event: str
    subject: str
    state: str
    reason: str
    tries: int
    next_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    status: int | None
    error: str
    kept: bool


class DeliveryWithBody(DeliveryOut):
    """`body`: exactly what is sent; empty for those who may not read it, and when it is not kept any more."""

    body: str


class AttemptOut(Schema):
    at: datetime
    milliseconds: int
    status: int | None
    error: str
    answer: str


class ReplayIn(Schema):
    model_config = ConfigDict(extra="forbid")

    since: Instant


class ReplayOut(Schema):
    deliveries: int
