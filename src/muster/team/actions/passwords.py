"""Passwords: changed by who knows the old one, or set anew through a link of an administrator."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.team.actions.sessions import end_sessions, keep_this_session
from muster.team.errors import ValueNotAllowed
from muster.team.models import Member, PasswordLink, new_secret, secret_hash
from muster.team.policies import Principal, check_may_change, check_password, member_principal
from muster.team.queries import member_row, password_link_member

PASSWORD_LINK_HOURS = 24


def change_password(request: HttpRequest, member: Member, old: str, new: str) -> None:
    """Every other session ends. ValueNotAllowed with a pointer to the field."""
    if not member.check_password(old):
        raise ValueNotAllowed(_("This is not your password."), pointer="/old")
    try:
        check_password(new, member.email)
    except ValueNotAllowed as error:
        raise ValueNotAllowed(error.message, pointer="/new") from error
    with transaction.atomic():
        member.set_password(new)
        member.save(update_fields=["password"])
        end_sessions(member)
        record(member_principal(member), "member.password", "member", member.id)
    keep_this_session(request, member)


def make_password_link(actor: Principal, member_id: str) -> str:
    """The secret of a link for somebody who has forgotten theirs; earlier ones stop working. Second factors stay."""
    secret = new_secret()
    with transaction.atomic():
        row = member_row(member_id)
        check_may_change(actor, row)
        expires_at = system_clock() + timedelta(hours=PASSWORD_LINK_HOURS)
        PasswordLink.objects.update_or_create(
            member=row, defaults={"secret_hash": secret_hash(secret), "expires_at": expires_at}
        )
        record(actor, "member.password_link", "member", row.id, {"email": row.email})
    return secret


def use_password_link(secret: str, password: str) -> Member:
    """Sets the password; every session of the member ends. ValueNotAllowed with a pointer to the field."""
    with transaction.atomic():
        row = password_link_member(secret)
        check_password(password, row.email)
        row.set_password(password)
        row.save(update_fields=["password"])
        PasswordLink.objects.filter(member=row).delete()
        end_sessions(row)
        record(member_principal(row), "member.password", "member", row.id)
    return row
