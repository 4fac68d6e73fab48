"""Members by address and password, as allauth asks for them."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from muster.team.models import Member


class MemberBackend(AuthenticationBackend):
    """allauth looks addresses up in lower case; ours are found whatever their case, as they were typed."""

    def _authenticate_by_email(self, email: str, password: str) -> Any:
        member = Member.objects.filter(email__iexact=email.strip()).first()
        return self._check_password(member, password)
