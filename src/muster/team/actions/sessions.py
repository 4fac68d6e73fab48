"""Where a member is logged in, for how long, and logging out elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY, logout, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.team.models import Member, MemberSession
from muster.team.policies import member_principal
from muster.team.queries import SESSION_IDLE, SESSION_LONGEST, session_id

# A write per request would buy nothing.
_SEEN_STEP = timedelta(minutes=5)
_BEGAN, _SEEN = "began_at", "seen_at"


def begin_session(request: HttpRequest, user: Any, **_: Any) -> None:
    """Listens to Django's `user_logged_in`; sweeps what has ended by itself."""
    now = system_clock()
    request.session[_BEGAN] = request.session[_SEEN] = now.timestamp()
    MemberSession.objects.filter(seen_at__lt=now - SESSION_IDLE).delete()
    MemberSession.objects.filter(began_at__lt=now - SESSION_LONGEST).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    MemberSession.objects.create(
        session_key=str(request.session.session_key),
        member=user,
        began_at=now,
        seen_at=now,
        browser=request.headers.get("User-Agent", "")[:300],
    )


def end_session(request: HttpRequest, **_: Any) -> None:
    """Listens to Django's `user_logged_out`."""
    MemberSession.objects.filter(session_key=request.session.session_key).delete()


def keep_limits(request: HttpRequest) -> None:
    """Logs out whoever was away too long; otherwise notes, now and then, that they are here."""
    session = request.session
    if SESSION_KEY not in session:
        return
    now = system_clock()
    # Sessions of the version before this know neither.
    began, seen = session.setdefault(_BEGAN, now.timestamp()), session.setdefault(_SEEN, now.timestamp())
    if (
        now.timestamp() - seen > SESSION_IDLE.total_seconds()
        or now.timestamp() - began > SESSION_LONGEST.total_seconds()
    ):
        logout(request)
    elif now.timestamp() - seen > _SEEN_STEP.total_seconds():
        session[_SEEN] = now.timestamp()
        MemberSession.objects.filter(session_key=session.session_key).update(seen_at=now)


def close_session(member: Member, identifier: str) -> None:
    """One of the member's own; what has ended meanwhile needs nothing."""
    for row in member.sessions.all():
        if session_id(row) == identifier:
            Session.objects.filter(session_key=row.session_key).delete()
            row.delete()


def log_out_everywhere(request: HttpRequest, member: Member) -> None:
    """Every session of the member ends but the one that asks."""
    with transaction.atomic():
        end_sessions(member)
        record(member_principal(member), "member.log_out_everywhere", "member", member.id)
    keep_this_session(request, member)


def end_sessions(member: Member) -> None:
    """Also those nobody wrote down."""
    Member.objects.filter(pk=member.pk).update(session_generation=F("session_generation") + 1)
    member.refresh_from_db(fields=["session_generation"])
    Session.objects.filter(session_key__in=member.sessions.values("session_key")).delete()
    member.sessions.all().delete()


def keep_this_session(request: HttpRequest, member: Member) -> None:
    """The session that asks goes on under a new key."""
    update_session_auth_hash(request, member)
    began = request.session.get(_BEGAN)
    begin_session(request, member)
    if began is not None:
        request.session[_BEGAN] = began
