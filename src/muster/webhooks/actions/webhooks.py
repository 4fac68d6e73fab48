"""Webhooks: made, changed, switched on and off, deleted; their secrets exchanged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.ids import new_id
from muster.kernel.worded import worded
from muster.team.policies import Principal, check_scope, clean_name
from muster.webhooks.actions.waiting import give_up_waiting, poke_after_commit
from muster.webhooks.channels.addresses import read_target
from muster.webhooks.channels.signing import new_secret
from muster.webhooks.errors import WebhookError
from muster.webhooks.hooks import event_kinds, opened_networks
from muster.webhooks.models import Webhook, sealed
from muster.webhooks.policies import check_events
from muster.webhooks.queries.webhooks import WebhookView, webhook, webhook_row
from muster.webhooks.terms import MOST_WEBHOOKS, TWO_SECRETS, Disabled

_SCOPE = "webhooks:write"
_FIELDS = ("url", "description", "events", "subjects", "active")


def create_webhook(
    actor: Principal, *, url: str, events: Iterable[str], subjects: Iterable[str] = (), description: str = ""
) -> tuple[WebhookView, str]:
    """The webhook and its secret, which is never shown again. Nothing is sent before something happens."""
    check_scope(actor, _SCOPE)
    fields = _checked(actor, {"url": url, "events": events, "subjects": subjects, "description": description})
    secret = new_secret()
    with transaction.atomic():
        if Webhook.objects.count() >= MOST_WEBHOOKS:
            raise WebhookError(
                worded("There are {most} webhooks already; delete one first.", most=MOST_WEBHOOKS), code="webhook_limit"
            )
        row = Webhook.objects.create(
            id=new_id("whk"), secret=sealed(secret), created_by=actor.label, created_at=system_clock(), **fields
        )
        record(actor, "webhook.created", "webhook", row.id, fields)
    return webhook(row.id), secret


def edit_webhook(actor: Principal, identifier: str, *, revision: int | None, **changes: Any) -> WebhookView:
    """Switching it off gives up what waits; switching it on begins anew, with what happens from then on."""
    check_scope(actor, _SCOPE)
    unknown = sorted(set(changes) - set(_FIELDS))
    if unknown:
        raise WebhookError(worded("A webhook has no setting {name}.", name=repr(unknown[0])), pointer=f"/{unknown[0]}")
    with transaction.atomic():
        row = webhook_row(identifier)
        _check_revision(row.revision, revision)
        fields = _checked(actor, {"events": row.events, **changes}, kept=row.subjects, hands_on=_hands_on(changes))
        was_active = row.active
        for name in changes:
            setattr(row, name, fields[name])
        if row.active != was_active or "url" in changes:
            row.failing_since = row.held_until = None
            row.failures = 0
        if row.active:
            row.disabled = Disabled.NOT
        row.revision += 1
        row.save()
        if was_active and not row.active:
            give_up_waiting(row)
        record(actor, "webhook.edited", "webhook", row.id, {name: fields[name] for name in changes})
        poke_after_commit()
    return webhook(identifier)


def delete_webhook(actor: Principal, identifier: str) -> None:
    """With its deliveries; what is under way may still arrive."""
    check_scope(actor, _SCOPE)
    with transaction.atomic():
        row = webhook_row(identifier)
        record(actor, "webhook.deleted", "webhook", row.id, {"url": row.url})
        row.delete()


def rotate_secret(actor: Principal, identifier: str, *, at_once: bool = False) -> tuple[WebhookView, str]:
    """A new secret, never shown again; for a day deliveries are signed with the one before, too.

    `at_once`: with none of those before, because one leaked. Otherwise `rotation_under_way` while there are two: the
    receiver may not know the newer one yet.
    """
    check_scope(actor, _SCOPE)
    secret, now = new_secret(), system_clock()
    with transaction.atomic():
        row = webhook_row(identifier)
        if not at_once and row.secret_before_until is not None and row.secret_before_until > now:
            raise WebhookError(
                "The secret was exchanged less than 24 hours ago: the one before would be lost to the receiver.",
                code="rotation_under_way",
            )
        row.secret, row.secret_before = sealed(secret), "" if at_once else row.secret
        row.secret_before_until = None if at_once else now + TWO_SECRETS
        row.revision += 1
        row.save()
        record(actor, "webhook.rotated", "webhook", row.id, {"at_once": at_once})
    return webhook(identifier), secret


def forget_old_secrets() -> int:
    """Those that are signed with no more."""
    rows = Webhook.objects.filter(secret_before_until__lte=system_clock())
    return rows.update(secret_before="", secret_before_until=None)


def _hands_on(changes: dict[str, Any]) -> bool:
    """Whoever has events sent elsewhere, or again, hands them on; to end that wants no more than `webhooks:write`."""
    return bool(set(changes) - {"description", "active"}) or bool(changes.get("active"))


def _checked(
    actor: Principal, given: dict[str, Any], kept: Iterable[str] = (), *, hands_on: bool = True
) -> dict[str, Any]:
    fields = dict(given)
    fields["events"] = list(dict.fromkeys(fields["events"]))
    if hands_on:
        check_events(actor, fields["events"])
    if "url" in fields:
        fields["url"] = read_target(fields["url"].strip(), opened_networks()).url
    if "description" in fields:
        fields["description"] = _description(fields["description"])
    if "subjects" in fields:
        fields["subjects"] = _subjects(fields["subjects"], fields["events"], set(kept))
    return fields


def _description(text: str) -> str:
    try:
        return clean_name(text)
    except MusterError as error:
        error.pointer = "/description"
        raise


def _subjects(given: Iterable[str], events: Iterable[str], kept: set[str]) -> list[str]:
    """Ids, whichever way they were named. One that was chosen before stays, also when what it names is gone."""
    wanted = list(dict.fromkeys(given))
    if not wanted:
        return []
    sources = dict.fromkeys(event_kinds[event].subjects for event in events)
    known = {name: one.id for subjects in sources if subjects for one in subjects() for name in (one.key, one.id)}
    for place, name in enumerate(wanted):
        if name not in known and name not in kept:
            raise WebhookError(
                worded("There is no {name} to be told of.", name=repr(name)), pointer=f"/subjects/{place}"
            )
    return list(dict.fromkeys(known.get(name, name) for name in wanted))


def _check_revision(current: int, expected: int | None) -> None:
    if expected is not None and expected != current:
        raise MusterError(
            worded(
                "Somebody else saved this meanwhile: it is at revision {current}, you edited {expected}. Load"
                " it again.",
                current=current,
                expected=expected,
            ),
            code="revision_conflict",
            details={"current": current, "expected": expected},
        )
