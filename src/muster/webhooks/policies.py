"""Who may have what sent: a webhook hands on what its events say, so it wants what reading that wants."""

from __future__ import annotations

from collections.abc import Iterable

from muster.kernel.worded import worded
from muster.team.policies import Principal, can, check_scope
from muster.webhooks.errors import NotSendable, WebhookError
from muster.webhooks.hooks import event_kinds
from muster.webhooks.models import Webhook
from muster.webhooks.terms import TEST


def check_events(actor: Principal, events: Iterable[str]) -> None:
    """At least one, all of them known, each with its scope."""
    wanted = list(events)
    if not wanted:
        raise WebhookError("Choose at least one event.", pointer="/events")
    for place, key in enumerate(wanted):
        if key not in event_kinds:
            raise WebhookError(
                worded("`{event}` is no event; there are {events}.", event=key, events=", ".join(event_kinds)),
                pointer=f"/events/{place}",
            )
        check_scope(actor, event_kinds[key].scope)


def may_read(actor: Principal, event: str) -> bool:
    """What stands in the body of a delivery."""
    return event == TEST or (event in event_kinds and can(actor, event_kinds[event].scope))


def check_active(row: Webhook) -> None:
    if not row.active:
        raise NotSendable("This webhook is switched off; switch it on first.")
