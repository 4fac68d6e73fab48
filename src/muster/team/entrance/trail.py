"""Notes in the audit trail what allauth does by itself."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from allauth.socialaccount.signals import social_account_added
from django.http import HttpRequest

from muster.audit.actions import record
from muster.team.models import Member
from muster.team.policies import member_principal


def _note(action: str, user: Member, details: dict[str, Any]) -> None:
    record(member_principal(user), action, "member", user.id, details)


def _added(sender: object, user: Member, authenticator: Any, **_: Any) -> None:
    _note("member.second_factor_added", user, {"kind": authenticator.type})


def _removed(sender: object, user: Member, authenticator: Any, **_: Any) -> None:
    _note("member.second_factor_removed", user, {"kind": authenticator.type})


def _renewed(sender: object, user: Member, authenticator: Any, **_: Any) -> None:
    _note("member.second_factor_renewed", user, {"kind": authenticator.type})


def _connected(sender: object, request: HttpRequest, sociallogin: Any, **_: Any) -> None:
    _note("member.connect", sociallogin.user, {"provider": sociallogin.account.provider})


def listen() -> None:
    """Once Django has loaded everything."""
    signals.authenticator_added.connect(_added)
    signals.authenticator_removed.connect(_removed)
    signals.authenticator_reset.connect(_renewed)
    social_account_added.connect(_connected)
