"""Links with which somebody becomes a member: shown once, one use, 7 days, revocable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.team.actions import check_email, check_password
from muster.team.errors import InvitationInvalid, InvitationUnknown, ValueNotAllowed
from muster.team.models import Invitation, Member
from muster.team.names import clean_name
from muster.team.policies import Principal, check_role, check_scope, member_principal
from muster.team.secrets import new_secret, secret_hash

INVITATION_DAYS = 7


@dataclass(frozen=True)
class InvitationView:
    id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime

    @property
    def expired(self) -> bool:
        return self.expires_at <= system_clock()


def invite(actor: Principal, email: str, role: str) -> tuple[InvitationView, str]:
    """The invitation and the secret of its link. Another one to the same address takes the place of the first."""
    check_scope(actor, "team:admin")
    check_role(actor, role)
    email = email.strip()
    check_email(email)
    secret, now = new_secret(), system_clock()
    with transaction.atomic():
        _check_free(email)
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
    return _view(row), secret


def revoke_invitation(actor: Principal, invitation_id: str) -> None:
    """Its link opens nothing any more. `invitation_unknown`."""
    check_scope(actor, "team:admin")
    with transaction.atomic():
        row = Invitation.objects.filter(pk=invitation_id).first()
        if row is None:
            raise InvitationUnknown(invitation_id)
        row.delete()
        record(actor, "invitation.revoke", "invitation", invitation_id, {"email": row.email})


def invitations() -> list[InvitationView]:
    """Those nobody has accepted, newest first; what has expired stays until it is revoked or repeated."""
    return [_view(row) for row in Invitation.objects.order_by("-created_at", "-id")]


def invitation_of(secret: str) -> InvitationView:
    """`invitation_invalid` unless the link can be used now."""
    row = Invitation.objects.filter(secret_hash=secret_hash(secret), expires_at__gt=system_clock()).first()
    if row is None:
        raise InvitationInvalid
    return _view(row)


def accept(secret: str, name: str, password: str) -> Member:
    """Uses the link: a member with the role it was made for. ValueNotAllowed with a pointer to the field."""
    with transaction.atomic():
        invited = invitation_of(secret)
        name = clean_name(name)
        check_password(password, invited.email)
        _check_free(invited.email)
        member = Member(
            id=new_id("mem"), email=invited.email, name=name, role=invited.role, created_at=system_clock()
        )
        member.set_password(password)
        member.save()
        Invitation.objects.filter(pk=invited.id).delete()
        details = {"role": invited.role, "invited_by": invited.invited_by}
        record(member_principal(member), "invitation.accept", "member", member.id, details)
    return member


def _check_free(email: str) -> None:
    if Member.objects.filter(email__iexact=email).exists():
        raise ValueNotAllowed(_("Somebody logs in with this address already."), code="key_taken", pointer="/email")


def _view(row: Invitation) -> InvitationView:
    return InvitationView(row.id, row.email, row.role, row.invited_by, row.created_at, row.expires_at)
