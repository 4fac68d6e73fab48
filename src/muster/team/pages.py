"""Set-up, log-in, log-out; and the rule that every other page wants a member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from muster.team import actions
from muster.team.errors import ValueNotAllowed
from muster.team.forms import LoginForm, SetupForm
from muster.team.models import Member
from muster.web.problems import is_api

# Forms are refused with the status a program would get (D-39).
_REFUSED = 422


class LoginRequired(LoginRequiredMiddleware):
    """Sends whoever is not logged in to the log-in page; views that are for everybody carry `login_not_required`."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        # The API lets in by its own door (team.api.MusterAuth) and never redirects.
        if is_api(request):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)


class MemberPreferences:
    """Middleware: pages speak the member's language and show the member's clock, where one was chosen (D-45, D-48)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        member = getattr(request, "user", None)
        if is_api(request) or not isinstance(member, Member):
            return self.get_response(request)
        language = member.language or translation.get_language()
        with translation.override(language), timezone.override(_zone(member.time_zone)):
            response = self.get_response(request)
            response.headers["Content-Language"] = language or "en"
            return response


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except ZoneInfoNotFoundError:
        return None


@login_not_required
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Makes the first owner from a one-time link."""
    token = request.POST.get("token") or request.GET.get("token", "")
    actions.check_setup_token(token)
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            member = actions.set_up(token, given["email"], given["password"], form.answer)
        except ValueNotAllowed as error:
            _show(form, error)
        else:
            login(request, member)
            return redirect("/")
    return _form_page(request, "team/setup.html", form, {"token": token})


@login_not_required
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    form = LoginForm(request.POST or None)
    following = request.POST.get("next") or request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure()):
        following = resolve_url("/")
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        member = authenticate(request, username=given["email"], password=given["password"])
        if isinstance(member, Member):
            login(request, member)
            return redirect(following)
        # One sentence for both: who asks does not learn which addresses are members.
        form.add_error(None, _("This address and password do not belong together."))
    return _form_page(request, "team/login.html", form, {"next": following})


@login_not_required
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("team:login")


def _form_page(request: HttpRequest, template: str, form: Form, context: dict[str, Any]) -> HttpResponse:
    status = _REFUSED if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


def _show(form: Form, error: ValueNotAllowed) -> None:
    field = error.pointer.removeprefix("/")
    form.add_error(field if field in form.fields else None, error.message)
