"""Links with which somebody becomes a member: shown once, one use, 7 days, revocable."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.team.errors import InvitationUnknown
from muster.team.models import Invitation, Member, new_secret, secret_hash
from muster.team.policies import (
    Principal,
    check_email,
    check_free,
    check_password,
    check_role,
    check_scope,
    clean_name,
    member_principal,
)
from muster.team.queries import InvitationView, invitation_of, invitation_view

INVITATION_DAYS = 7


def invite(actor: Principal, email: str, role: str) -> tuple[InvitationView, str]:
    """The invitation and the secret of its link. Another one to the same address takes the place of the first."""
    check_scope(actor, "team:admin")
    check_role(actor, role)
    email = email.strip()
    check_email(email)
    secret, now = new_secret(), system_clock()
    with transaction.atomic():
        check_free(email)
        Invitation.objects.filter(email__iexact=email).delete()
        row = Invitation.objects.create(
            id=new_id("inv"),
            email=email,
            role=role,
            secret_hash=secret_hash(secret),
            invited_by=actor.label,
            created_at=now,
            expires_at=now + timedelta(days=INVITATION_DAYS),
        )
        record(actor, "invitation.create", "invitation", row.id, {"email": email, "role": role})
    return invitation_view(row), secret


def revoke_invitation(actor: Principal, invitation_id: str) -> None:
    """Its link opens nothing any more. `invitation_unknown`."""
    check_scope(actor, "team:admin")
    with transaction.atomic():
        row = Invitation.objects.filter(pk=invitation_id).first()
        if row is None:
            raise InvitationUnknown(invitation_id)
        row.delete()
        record(actor, "invitation.revoke", "invitation", invitation_id, {"email": row.email})


def accept(secret: str, name: str, password: str) -> Member:
    """Uses the link: a member with the role it was made for. ValueNotAllowed with a pointer to the field."""
    with transaction.atomic():
        invited = invitation_of(secret)
        name = clean_name(name)
        check_password(password, invited.email)
        check_free(invited.email)
        member = Member(id=new_id("mem"), email=invited.email, name=name, role=invited.role, created_at=system_clock())
        member.set_password(password)
        member.save()
        Invitation.objects.filter(pk=invited.id).delete()
        details = {"role": invited.role, "invited_by": invited.invited_by}
        record(member_principal(member), "invitation.accept", "member", member.id, details)
    return member
