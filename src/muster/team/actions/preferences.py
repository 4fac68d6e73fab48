"""How a member wants pages to be: language, zone, colours, density, rows; and their name and password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from muster.audit.actions import record
from muster.rules.describe.words import LANGUAGES
from muster.team.actions.sessions import end_sessions, keep_this_session
from muster.team.errors import MemberUnknown, ValueNotAllowed
from muster.team.models import Member
from muster.team.policies import Principal, check_password, clean_name, member_principal
from muster.team.queries import AUTO, preferences
from muster.team.terms import DENSITIES, ROWS, THEMES
from muster.web.hooks import Preferences


def change_preferences(actor: Principal, changes: Mapping[str, Any]) -> Preferences:
    """One's own; what is not named stays. ValueNotAllowed with a pointer to the field."""
    row = _own(actor)
    for name, value in changes.items():
        allowed = {
            "language": (AUTO, *LANGUAGES),
            "time_zone": (AUTO, *available_timezones()),
            "theme": THEMES,
            "density": DENSITIES,
            "rows": ROWS,
        }.get(name)
        if allowed is None or value not in allowed:
            raise ValueNotAllowed(_("%(value)s is not possible here.") % {"value": value}, pointer=f"/{name}")
        setattr(row, name, "" if value == AUTO and name in ("language", "time_zone") else value)
    row.save(update_fields=["language", "time_zone", "theme", "density", "rows"])
    return preferences(row)


def change_name(actor: Principal, name: str) -> None:
    """One's own; empty takes it away."""
    row = _own(actor)
    row.name = clean_name(name)
    row.save(update_fields=["name"])


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


def _own(actor: Principal) -> Member:
    row = Member.objects.filter(pk=actor.id).first() if actor.kind == "member" else None
    if row is None:
        raise MemberUnknown(actor.id)
    return row
