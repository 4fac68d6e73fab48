"""What is due, and noting what became of it. Called by the one worker of the installation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from random import SystemRandom
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.team.policies import LOCAL
from muster.webhooks.actions.waiting import give_up_waiting
from muster.webhooks.channels.requests import Message, Outcome
from muster.webhooks.decide import DISABLED_AFTER, GONE, hold_of, judge
from muster.webhooks.models import Attempt, Delivery, Webhook, unsealed
from muster.webhooks.terms import MOST_WAITING, Disabled, State

MUSTER = replace(LOCAL, label="Muster")
"""Who switches off what nobody takes."""
_dice = SystemRandom()


@dataclass(frozen=True)
class Due:
    """A message with the host it goes to: one host gets a few at a time, however many webhooks lead there."""

    message: Message
    host: str


def due_messages(under_way: Collection[str], room: Callable[[str], int], now: datetime) -> list[Due]:
    """What may begin now: the longest due first, of each receiver as many as there is `room` for its host."""
    found: list[Due] = []
    begun: dict[str, int] = {}
    for row in _reachable(now).order_by("held_until", "id"):
        host = urlsplit(row.url).hostname or ""
        count = room(host) - begun.get(host, 0)
        if row.failures and count > 0:
            # One at a time asks whether it is back.
            count = min(count, 0 if _is_under_way(row, under_way) else 1)
        if count <= 0:
            continue
        due = Delivery.objects.filter(webhook=row, next_at__lte=now).exclude(pk__in=list(under_way))
        deliveries = list(due.order_by("next_at", "id")[:count])
        if not deliveries:
            continue
        keys = _keys(row, now)
        if not keys:
            with transaction.atomic():
                switch_off(row, Disabled.SEALED)
            continue
        found += [Due(Message(one.id, row.url, one.body.encode(), keys), host) for one in deliveries]
        begun[host] = begun.get(host, 0) + len(deliveries)
    return found


def _is_under_way(row: Webhook, under_way: Collection[str]) -> bool:
    return bool(under_way) and Delivery.objects.filter(webhook=row, pk__in=list(under_way)).exists()


def next_due(now: datetime, under_way: Collection[str]) -> datetime | None:
    """When something that is not under way becomes due; what waits for room is told of by what makes room."""
    waiting = Delivery.objects.filter(webhook=OuterRef("pk"), next_at__gt=now).exclude(pk__in=list(under_way))
    # A receiver at a time, by its index: there may be many deliveries and are few receivers.
    first = Subquery(waiting.order_by("next_at").values("next_at")[:1])
    rows = Webhook.objects.filter(active=True).annotate(first=first).values_list("first", "held_until")
    return min((at for pair in rows for at in pair if at is not None and at > now), default=None)


def note_outcomes(outcomes: Mapping[str, tuple[datetime, Outcome]]) -> None:
    """What became of deliveries, by id, each with when its attempt began; one transaction."""
    with transaction.atomic():
        rows = Delivery.objects.filter(pk__in=list(outcomes)).select_related("webhook")
        webhooks: dict[str, Webhook] = {}
        for row in sorted(rows, key=lambda row: outcomes[row.pk][0]):
            row.webhook = webhooks.setdefault(row.webhook_id, row.webhook)
            _note(row, *outcomes[row.pk])
        for webhook in webhooks.values():
            webhook.save(update_fields=["failing_since", "failures", "held_until"])
            _switch_off_if_due(webhook, (outcomes[row.pk][1] for row in rows if row.webhook_id == webhook.pk))


def _note(row: Delivery, at: datetime, outcome: Outcome) -> None:
    now = system_clock()
    row.tries += 1
    judged = judge(outcome, row.tries, now, _dice.random())
    Attempt.objects.create(
        delivery=row,
        at=at,
        milliseconds=outcome.milliseconds,
        status=outcome.status,
        error=judged.code,
        # Of whoever was erased meanwhile nothing is kept.
        answer=outcome.answer if row.body else "",
    )
    if row.next_at is None:
        # It was given up while it was under way: only what was answered is news.
        if judged.is_sent:
            row.state, row.reason = State.SENT, ""
    elif judged.is_sent:
        row.state, row.next_at, row.ended_at = State.SENT, None, now
    elif judged.next_at is None:
        row.state, row.reason, row.next_at, row.ended_at = State.GIVEN_UP, judged.code, None, now
    else:
        row.state, row.next_at = State.FAILED, judged.next_at
    row.save(update_fields=["tries", "state", "reason", "next_at", "ended_at"])
    _note_receiver(row.webhook, outcome, judged.is_sent, now)


def _note_receiver(webhook: Webhook, outcome: Outcome, is_sent: bool, now: datetime) -> None:
    if is_sent:
        webhook.failing_since = webhook.held_until = None
        webhook.failures = 0
        return
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    hold = hold_of(outcome, webhook.failures, now)
    if hold is not None:
        webhook.held_until = max(hold, webhook.held_until or hold)


def _switch_off_if_due(webhook: Webhook, outcomes: Iterable[Outcome]) -> None:
    if any(outcome.status == GONE for outcome in outcomes):
        switch_off(webhook, Disabled.GONE)
    elif webhook.failing_since is not None and system_clock() - webhook.failing_since >= DISABLED_AFTER:
        switch_off(webhook, Disabled.FAILING)


def switch_off(webhook: Webhook, why: Disabled) -> None:
    """It is sent nothing more until somebody switches it on; the Overview says so. In the caller's transaction."""
    if not Webhook.objects.filter(pk=webhook.pk, active=True).update(active=False, disabled=why, held_until=None):
        return
    given_up = give_up_waiting(webhook)
    details = {"url": webhook.url, "why": why.value, "deliveries": given_up}
    record(MUSTER, "webhook.disabled", "webhook", webhook.pk, details)


def switch_off_overrun() -> None:
    """Webhooks for which more waits than anybody will ever take."""
    with transaction.atomic():
        for row in Webhook.objects.filter(active=True):
            if Delivery.objects.filter(webhook=row, next_at__isnull=False).count() > MOST_WAITING:
                switch_off(row, Disabled.BACKLOG)


def _reachable(now: datetime) -> QuerySet[Webhook]:
    return Webhook.objects.filter(Q(held_until=None) | Q(held_until__lte=now), active=True)


def _keys(row: Webhook, now: datetime) -> tuple[str, ...]:
    """What its deliveries are signed with now; nothing if that cannot be read."""
    kept = [row.secret]
    if row.secret_before and row.secret_before_until is not None and row.secret_before_until > now:
        kept.append(row.secret_before)
    found = []
    for secret in kept:
        # Sealed under the key of another installation: nobody can sign with it any more.
        with suppress(InvalidToken):
            found.append(unsealed(secret))
    return tuple(found)
