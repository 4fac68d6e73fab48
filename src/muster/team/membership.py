"""Who is in the team and what each may do: roles, single permissions, deactivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from muster.audit.actions import record
from muster.kernel.errors import MusterError
from muster.team.errors import MemberUnknown, ValueNotAllowed
from muster.team.models import Member, Role
from muster.team.policies import Principal, check_every, check_may_change, check_other_owner, check_role
from muster.team.sessions import end_sessions
from muster.team.terms import ROLE_SCOPES, SCOPES


@dataclass(frozen=True)
class MemberView:
    """`second_factor`: whether a password alone does not open the account."""

    id: str
    email: str
    name: str
    role: str
    granted: tuple[str, ...]
    withheld: tuple[str, ...]
    scopes: frozenset[str]
    second_factor: bool
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime

    @property
    def label(self) -> str:
        return self.name or self.email


def members() -> list[MemberView]:
    """Those who may log in first, then by address."""
    return [_view(row) for row in _rows().order_by("-is_active", "email")]


def member(member_id: str) -> MemberView:
    """`member_unknown`"""
    row = _rows().filter(pk=member_id).first()
    if row is None:
        raise MemberUnknown(member_id)
    return _view(row)


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


def refusal(check: Callable[[], None]) -> str:
    """The sentence the API would answer with; nothing if it would let them (D-42)."""
    try:
        check()
    except MusterError as error:
        return error.message
    return ""


def change_refusals(actor: Principal, member_id: str) -> dict[str, str]:
    """Why the actor may not change this member at all, and why the member may not stop being an owner."""
    row = _row(member_id)
    return {
        "change": refusal(lambda: check_may_change(actor, row)),
        "leave": refusal(lambda: check_other_owner(row)),
    }


def _change(actor: Principal, member_id: str, action: str, change: Callable[[Member], dict[str, object]]) -> None:
    """`change` answers what the trail notes."""
    with transaction.atomic():
        row = _row(member_id)
        check_may_change(actor, row)
        details = change(row)
        row.save(update_fields=["role", "granted", "withheld", "is_active"])
        record(actor, action, "member", row.id, {"email": row.email, **details})


def _row(member_id: str) -> Member:
    row = Member.objects.filter(pk=member_id).first()
    if row is None:
        raise MemberUnknown(member_id)
    return row


def _rows():  # type: ignore[no-untyped-def]  # a query set with an annotation has no name of its own
    keys = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return Member.objects.annotate(second_factor=Exists(keys))


def connected(member: Member) -> list[str]:
    """Under which names a provider knows them."""
    return [str(account.extra_data.get("userinfo", {}).get("email", account.uid)) for account in SocialAccount.objects.filter(user=member)]


def _view(row: Member) -> MemberView:
    return MemberView(
        row.id,
        row.email,
        row.name,
        row.role,
        tuple(row.granted),
        tuple(row.withheld),
        row.scopes,
        bool(getattr(row, "second_factor", False)),
        row.is_active,
        row.last_login,
        row.created_at,
    )
