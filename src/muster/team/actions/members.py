"""Who is in the team and what each may do: roles, single permissions, deactivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.team.actions.sessions import end_sessions
from muster.team.errors import ValueNotAllowed
from muster.team.models import Member, Role
from muster.team.policies import (
    Principal,
    check_email,
    check_every,
    check_free,
    check_may_change,
    check_other_owner,
    check_password,
    check_role,
    check_scope,
)
from muster.team.queries import member_row
from muster.team.terms import ROLE_SCOPES, SCOPES


def create_member(actor: Principal, email: str, password: str, role: str, language: str = "") -> Member:
    """Another team member. ScopeMissing, or ValueNotAllowed with a pointer to the field."""
    check_scope(actor, "team:admin")
    email = email.strip()
    check_email(email)
    check_password(password, email)
    check_role(actor, role)
    with transaction.atomic():
        check_free(email)
        member = Member(id=new_id("mem"), email=email, role=role, language=language, created_at=system_clock())
        member.set_password(password)
        member.save()
        record(actor, "member.create", "member", member.id, {"role": role})
    return member


def change_role(actor: Principal, member_id: str, role: str) -> None:
    """With the role single permissions begin anew. `scope_missing`, `last_owner`."""

    def change(row: Member) -> dict[str, object]:
        check_role(actor, role)
        if role != Role.OWNER:
            check_other_owner(row)
        before, row.role, row.granted, row.withheld = row.role, role, [], []
        return {"from": before, "to": role}

    _change(actor, member_id, "member.role", change)


def change_scopes(actor: Principal, member_id: str, wanted: Mapping[str, bool]) -> None:
    """What the member may do, scope by scope; what is not named stays. Kept as difference from the role."""

    def change(row: Member) -> dict[str, object]:
        if row.role == Role.OWNER:
            raise ValueNotAllowed(_("Owners may do everything. Choose another role first."), pointer="/scopes")
        unknown = sorted(set(wanted) - set(SCOPES))
        if unknown:
            raise ValueNotAllowed(_("There is no permission %(scope)s.") % {"scope": unknown[0]}, pointer="/scopes")
        now = {scope for scope in SCOPES if wanted.get(scope, scope in row.scopes)}
        check_every(actor, frozenset(now - row.scopes))
        usual = ROLE_SCOPES[row.role]
        row.granted = [scope for scope in SCOPES if scope in now - usual]
        row.withheld = [scope for scope in SCOPES if scope in usual - now]
        return {"granted": row.granted, "withheld": row.withheld}

    _change(actor, member_id, "member.permissions", change)


def deactivate(actor: Principal, member_id: str) -> None:
    """Every session of theirs ends; what they made stays. `last_owner`."""

    def change(row: Member) -> dict[str, object]:
        check_other_owner(row)
        row.is_active = False
        end_sessions(row)
        return {}

    _change(actor, member_id, "member.deactivate", change)


def reactivate(actor: Principal, member_id: str) -> None:
    def change(row: Member) -> dict[str, object]:
        row.is_active = True
        return {}

    _change(actor, member_id, "member.reactivate", change)


def remove_second_factors(actor: Principal, member_id: str) -> None:
    """For somebody who has lost them: the password alone opens the account again, until they set up new ones."""

    def change(row: Member) -> dict[str, object]:
        if actor.id == row.id:
            raise ValueNotAllowed(_("Change your own second factors on your profile."))
        gone = Authenticator.objects.filter(user=row)
        removed = sorted(gone.values_list("type", flat=True))
        gone.delete()
        end_sessions(row)
        return {"removed": removed}

    _change(actor, member_id, "member.remove_second_factors", change)


def _change(actor: Principal, member_id: str, action: str, change: Callable[[Member], dict[str, object]]) -> None:
    """`change` answers what the trail notes."""
    with transaction.atomic():
        row = member_row(member_id)
        check_may_change(actor, row)
        details = change(row)
        row.save(update_fields=["role", "granted", "withheld", "is_active"])
        record(actor, action, "member", row.id, {"email": row.email, **details})
