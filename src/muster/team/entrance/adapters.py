"""What allauth asks us: who may come in, what secrets are kept as, and what is said."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muster.team.entrance.attempts import LOCKED, locked_error
from muster.team.errors import MemberInactive, ProviderFailed, ProviderRefused
from muster.team.models import Member
from muster.web.problems import problem_page, status_of


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves, nothing is sent by mail."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """There is no channel yet that could send it."""

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """allauth counts by host, too: who knows two names of this one could try twice as often."""
        return str(credentials.get("email", "")).strip().lower()

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            if error.code != LOCKED:
                raise
            raise locked_error(request, self._get_login_attempts_cache_key(request, **credentials)) from error

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        error = MemberInactive()
        return problem_page(request, error, status_of(error))


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are kept encrypted: whoever reads a copy of the database alone has none of them."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": gettext_lazy("This code is not right.")}

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """What a member does not name is named by its place."""
        return _("Passkey %(number)s") % {"number": user.authenticator_set.filter(type=type).count() + 1}


def _box() -> Fernet:
    key = hashlib.sha256(b"muster.team.second-factor:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Who logs in through OpenID Connect is a member already, by an address the provider has verified."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.is_existing:
            return
        member = Member.objects.filter(email__iexact=_verified_address(sociallogin)).first()
        if member is None:
            _refuse(request, ProviderRefused())
        elif not member.is_active:
            _refuse(request, MemberInactive())
        else:
            sociallogin.connect(request, member)

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        if error != "cancelled":
            _refuse(request, ProviderFailed(provider.name))


def _verified_address(sociallogin: SocialLogin) -> str:
    """Empty if there is none. Nothing but JSON's `true` says verified: "false" is a text some providers send."""
    said = sociallogin.account.extra_data
    claims = said.get("userinfo") or said.get("id_token") or {}
    return str(claims.get("email") or "") if claims.get("email_verified") is True else ""


def _refuse(request: HttpRequest, error: Any) -> None:
    raise ImmediateHttpResponse(problem_page(request, error, status_of(error)))
