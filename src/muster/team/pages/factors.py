"""allauth's pages at our addresses: second factors, passkeys, OpenID Connect."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views as account_views
from allauth.mfa.base import views as factor_views
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as app_views
from allauth.mfa.webauthn import views as passkey_views
from allauth.mfa.webauthn.internal import auth as passkeys
from allauth.socialaccount.providers.openid_connect import views as provider_views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from muster.team.errors import ProviderFailed
from muster.team.forms import LoginForm
from muster.team.pages.entrance import following_of, login_page
from muster.team.pages.permits import reader
from muster.web.answers import REFUSED

View = Callable[..., HttpResponseBase]


def refusing(view: View) -> View:
    """Forms that are refused answer 422, as everywhere (D-39)."""

    @wraps(view)
    def refuse(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.method == "POST" and isinstance(response, TemplateResponse) and response.status_code == 200:
            response.status_code = REFUSED
        return response

    return refuse


authenticate = refusing(factor_views.authenticate)
confirm_by_code = refusing(factor_views.reauthenticate)
confirm_by_password = refusing(account_views.reauthenticate)
confirm_by_passkey = refusing(passkey_views.reauthenticate_webauthn)
activate_app = refusing(app_views.activate_totp)
deactivate_app = refusing(app_views.deactivate_totp)
show_codes = code_views.view_recovery_codes
renew_codes = refusing(code_views.generate_recovery_codes)
rename_passkey = refusing(passkey_views.edit_webauthn)
remove_passkey = refusing(passkey_views.remove_webauthn)


@require_GET
def second_factors(request: HttpRequest) -> HttpResponse:
    """Where allauth goes after a change: they stand on the profile."""
    return redirect("team:profile")


class _AddPasskey(passkey_views.AddWebAuthnView):
    """A passkey that finds its member by itself and asks who is there: it serves for both."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["js_data"] = {"creation_options": passkeys.begin_registration(reader(self.request), True)}
        if "form" in kwargs:
            context["form"] = kwargs["form"]
        return context


add_passkey = refusing(_AddPasskey.as_view())


class _PasskeyLogin(passkey_views.LoginWebAuthnView):
    def form_invalid(self, form: Any) -> HttpResponse:
        """allauth says it in a message of the next page; here the page says it."""
        page = LoginForm({})
        page.errors.clear()
        page.add_error(None, _("This passkey is not known here. Log in with your password."))
        return login_page(self.request, page, following_of(self.request))


passkey_login = login_not_required(_PasskeyLogin.as_view())


@login_not_required
@require_POST
def provider_login(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Hands over to the provider by a page of ours: `form-action 'self'` forbids a form that leads elsewhere (D-4)."""
    try:
        response: HttpResponseBase = provider_views.login(request, provider_id)
    except RequestException as error:
        raise ProviderFailed(_("The provider")) from error
    if isinstance(response, HttpResponseRedirect) and not response.url.startswith("/"):
        page = render(request, "team/handover.html", {"address": response.url})
        page.headers["Refresh"] = f"0; url={response.url}"
        return page
    return response


@login_not_required
@require_GET
def provider_callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    response: HttpResponseBase = provider_views.callback(request, provider_id)
    return response


@login_not_required
@require_GET
def provider_cancelled(request: HttpRequest) -> HttpResponse:
    return redirect("team:login")
