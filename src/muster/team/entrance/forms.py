"""The fields of second factors, for allauth's pages in the look of ours."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateByCodeForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from muster.team.entrance.attempts import LOCKED, locked_error
from muster.team.errors import ValueNotAllowed
from muster.team.policies import clean_name
from muster.web.wording import said

# A code is right for this long: its own 30 seconds, and those before and after (MFA_TOTP_TOLERANCE).
_CODE_SECONDS = 90


class _Code(forms.Form):
    """A code of an app or a recovery code; each opens once."""

    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        field.label = _("Code")
        field.widget = forms.TextInput(
            attrs={"class": "field", "autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 40}
        )

    def clean_code(self) -> str:
        try:
            code = str(super().clean_code())  # type: ignore[misc]  # the form of allauth beside it has it
        except ValidationError as error:
            if error.code in (LOCKED, "rate_limited"):
                raise locked_error(context.request, f"mfa-auth-user-{self.user.pk}") from error
            raise
        # allauth remembers a used code for 30 seconds only, which is less than it is right.
        used = f"muster.team.code:{self.user.pk}:{normalize_user_code(code)}"
        if not cache.add(used, 1, timeout=_CODE_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_Code, AuthenticateForm):
    """Logs in, after the password."""


class CodeAgainForm(_Code, ReauthenticateByCodeForm):
    """Confirms who is there before something that matters."""


class AppForm(_Code, ActivateTOTPForm):
    """The first code of an app."""


class PasswordAgainForm(ReauthenticateForm):
    """Confirms who is there before something that matters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["password"]
        field.label = _("Password")
        field.widget = forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "field"})
        field.help_text = ""

    def clean_password(self) -> str:
        try:
            return str(super().clean_password())
        except ValidationError as error:
            if error.code == "incorrect_password":
                raise ValidationError(_("This is not your password."), code=error.code) from error
            raise


class _Named(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(
            label=_("Name"),
            max_length=100,
            required=False,
            help_text=_("So that you recognise it: “Laptop”, “Key on my ring”."),
            widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
        )

    def clean_name(self) -> str:
        try:
            self.cleaned_data["name"] = clean_name(self.cleaned_data["name"], longest=100)
        except ValueNotAllowed as error:
            raise ValidationError(said(error.message)) from error
        # allauth's form for a new one names what is not named.
        given = getattr(super(), "clean_name", lambda: self.cleaned_data["name"])()
        return str(given)


class AddPasskeyForm(_Named, AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Every passkey logs in by itself, so what it takes is always asked for.
        del self.fields["passwordless"]


class RenamePasskeyForm(_Named, EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
