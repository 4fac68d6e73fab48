"""Who may do what: every door asks here, and nowhere else."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from muster.kernel.errors import MusterError
from muster.team.errors import LastOwner, ScopeMissing, ValueNotAllowed
from muster.team.models import Member, Role
from muster.team.terms import EVERY_SCOPE, ROLE_SCOPES, SCOPES
from muster.web.persons import COMMAND_LINE


@dataclass(frozen=True)
class Principal:
    """Who asks. `label` is what the audit trail and people read; `id` is unique within its kind."""

    kind: Literal["member", "token", "local"]
    id: str
    label: str
    scopes: frozenset[str]


# Whoever may open the installation's own socket may read its files anyway.
LOCAL = Principal("local", "local", COMMAND_LINE, EVERY_SCOPE)


def member_principal(member: Member) -> Principal:
    return Principal("member", member.id, member.email, member.scopes)


def can(principal: Principal, scope: str) -> bool:
    return scope in principal.scopes


def check_scope(principal: Principal, scope: str) -> None:
    """ScopeMissing (403) with the sentence that pages show beside what is not permitted (D-42)."""
    if not can(principal, scope):
        raise ScopeMissing(scope)


def check_every(principal: Principal, scopes: frozenset[str]) -> None:
    """Nobody hands out what they have not; ScopeMissing names the first."""
    for scope in SCOPES:
        if scope in scopes:
            check_scope(principal, scope)


def check_role(principal: Principal, role: str) -> None:
    """Whether they may make somebody this."""
    if role not in ROLE_SCOPES:
        message = _("There is no role %(role)s; there are %(roles)s.") % {"role": role, "roles": ", ".join(ROLE_SCOPES)}
        raise ValueNotAllowed(message, pointer="/role")
    check_every(principal, ROLE_SCOPES[role])


def check_may_change(principal: Principal, member: Member) -> None:
    """Who administers the team changes those who may do no more than they."""
    check_scope(principal, "team:admin")
    check_every(principal, member.scopes)


def check_other_owner(member: Member) -> None:
    """LastOwner if nobody else could administer the installation."""
    others = Member.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=member.pk)
    if member.role == Role.OWNER and member.is_active and not others.exists():
        raise LastOwner


def check_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValueNotAllowed(_("This is not an e-mail address."), pointer="/email") from error


def check_free(email: str) -> None:
    """Whether nobody logs in with it."""
    if Member.objects.filter(email__iexact=email).exists():
        raise ValueNotAllowed(_("Somebody logs in with this address already."), code="key_taken", pointer="/email")


def check_password(password: str, email: str) -> None:
    try:
        validate_password(password, Member(email=email))
    except ValidationError as error:
        raise ValueNotAllowed(" ".join(error.messages), pointer="/password") from error


def clean_name(name: str, *, longest: int = 200) -> str:
    """Composed, without spaces around it; ValueNotAllowed for one too long or with control characters."""
    name = unicodedata.normalize("NFC", name).strip()
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise ValueNotAllowed(_("A name is one line without control characters."), pointer="/name")
    if len(name) > longest:
        message = _("A name has at most %(longest)s characters.") % {"longest": longest}
        raise ValueNotAllowed(message, pointer="/name")
    return name


def refusal(check: Callable[[], None]) -> str:
    """The sentence the API would answer with; nothing if it would let them (D-42)."""
    try:
        check()
    except MusterError as error:
        return error.message
    return ""
