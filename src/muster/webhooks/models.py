"""Tables of webhooks: who is told what, what is to be sent, and every attempt to do so."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import models
from django.db.models import Q

from muster.webhooks.terms import Disabled, State


def _texts() -> list[str]:
    return []


class Webhook(models.Model):
    """Who is told. `subjects`: ids of what the events are to be about, none for everything.

    Secrets are encrypted; the one before is signed with, too, until its time is over. `failing_since`: nothing was
    taken since; `failures`: so many times in a row; `held_until`: the receiver is left alone.
    """

    id = models.CharField(primary_key=True, max_length=40)
    url = models.CharField(max_length=2_000)
    description = models.CharField(max_length=200, blank=True)
    events = models.JSONField(default=_texts)
    subjects = models.JSONField(default=_texts)
    active = models.BooleanField(default=True)
    disabled = models.CharField(max_length=8, blank=True, default=Disabled.NOT)
    secret = models.CharField(max_length=400)
    secret_before = models.CharField(max_length=400, blank=True)
    secret_before_until = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=1)
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    held_until = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(active=False) | Q(disabled=""), name="active_webhook_not_disabled")
        ]

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One event on its way to one webhook; the id is the `webhook-id`, however often it is sent.

    `body`: exactly what is signed and sent; empty when nothing may be kept of it. `tries`: attempts since it began to
    wait. `next_at`: when it is sent next; empty when it is not.
    """

    id = models.CharField(primary_key=True, max_length=40)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=64)
    subject = models.CharField(max_length=64, blank=True)
    body = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=[(state.value, state.value) for state in State])
    reason = models.CharField(max_length=20, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["webhook", "next_at"], condition=Q(next_at__isnull=False), name="delivery_due"),
            models.Index(fields=["webhook", "created_at", "id"], name="delivery_of_webhook"),
            models.Index(fields=["webhook", "state", "created_at"], name="delivery_in_state"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "failed"], next_at__isnull=False)
                | Q(state__in=["sent", "given_up"], next_at__isnull=True),
                name="delivery_waits_for_its_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.event} {self.state}"


class Attempt(models.Model):
    """One request. `answer`: the beginning of what was answered; `error`: why it failed, empty if it did not."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=20, blank=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.at:%Y-%m-%d %H:%M:%S} {self.status or self.error}"


def sealed(secret: str) -> str:
    """As it is kept: whoever reads a copy of the database alone cannot sign."""
    return _box().encrypt(secret.encode()).decode()


def unsealed(kept: str) -> str:
    return _box().decrypt(kept.encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(b"muster.webhooks.secret:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
