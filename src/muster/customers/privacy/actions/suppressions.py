"""Whom no message may reach: put on and lifted, each with its audit entry, which names nobody (C-14)."""

from __future__ import annotations

from django.db import transaction

from muster.audit.actions import record
from muster.customers.errors import PersonNeeded, PrivacyError
from muster.customers.hooks import current_ledger
from muster.customers.models import Suppression
from muster.customers.privacy.queries import SuppressionView, suppression_row, suppression_view
from muster.customers.terms import SUPPRESSION_REASONS
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.warehouse.lists.entries import EntryKind, named

_EXPECTED = {"email": EntryKind.EMAIL, "external": EntryKind.EXTERNAL}


def suppress(actor: Principal, kind: str, identity: str, reason: str = "manual") -> SuppressionView:
    """The suppression of an address or an external id; the one there is, if there is one."""
    if kind not in _EXPECTED:
        raise PrivacyError(worded("The kind is email or external, not {kind}.", kind=f"{kind!r:.80}"), pointer="/kind")
    if reason not in SUPPRESSION_REASONS:
        raise PrivacyError(
            worded("The reason is one of {reasons}.", reasons=", ".join(SUPPRESSION_REASONS)), pointer="/reason"
        )
    found = named(identity.strip(), _EXPECTED[kind])
    if found.identity is None or found.kind is not _EXPECTED[kind]:
        raise PrivacyError(
            worded(
                "{identity} is not an {kind} identity: {reason}.",
                identity=f"{identity!r:.80}",
                kind=kind,
                reason=found.reason or worded("of another kind"),
            ),
            pointer="/identity",
        )
    mark = current_ledger().mark((kind, 0, found.identity))
    with transaction.atomic():
        row, made = Suppression.objects.get_or_create(
            mark=mark,
            defaults={
                "id": new_id("sup"),
                "kind": kind,
                "identity": found.identity,
                "reason": reason,
                "since": system_clock(),
                "made_by": actor.label,
            },
        )
        if made:
            record(actor, "suppression.made", "suppression", row.id, {"kind": kind, "reason": reason})
    return suppression_view(row)


def lift_suppression(actor: Principal, identifier: str) -> None:
    """Only a person may: `person_needed` of a token."""
    if actor.kind == "token":
        raise PersonNeeded("Only a person lifts a suppression: log in, or use the command line.")
    with transaction.atomic():
        row = suppression_row(identifier)
        row.delete()
        record(actor, "suppression.lifted", "suppression", identifier, {"kind": row.kind, "reason": row.reason})
