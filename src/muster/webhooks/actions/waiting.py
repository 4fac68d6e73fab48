"""What waits to be sent, and telling the worker that something does."""

from __future__ import annotations

from django.db import transaction

from muster.kernel.clock import system_clock
from muster.webhooks import hooks
from muster.webhooks.models import Delivery, Webhook
from muster.webhooks.terms import OPEN, State


def poke_after_commit() -> None:
    """The worker looks at once, when what it is to see can be seen."""
    transaction.on_commit(_poke)


def _poke() -> None:
    for poke in hooks.pokes:
        poke()


def give_up_waiting(row: Webhook) -> int:
    """Of a webhook that was switched off; each can be replayed once it is on again."""
    waiting = Delivery.objects.filter(webhook=row, state__in=OPEN)
    return waiting.update(state=State.GIVEN_UP, reason="disabled", next_at=None, ended_at=system_clock())
