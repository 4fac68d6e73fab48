"""Set-up, invitations, log-in, log-out."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.socialaccount.adapter import get_adapter as get_provider_adapter
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from muster.team.actions import invitations
from muster.team.actions.passwords import use_password_link
from muster.team.actions.setup import check_setup_token, set_up
from muster.team.errors import ValueNotAllowed
from muster.team.forms import AcceptForm, LoginForm, NewPasswordForm, SetupForm
from muster.team.hooks import after_setup
from muster.team.queries import invitation_of, password_link_member
from muster.web.answers import REFUSED
from muster.web.wording import said


@login_not_required
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Makes the first owner from a one-time link."""
    token = request.POST.get("token") or request.GET.get("token", "")
    check_setup_token(token)
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            member = set_up(token, given["email"], given["password"], form.answer)
        except ValueNotAllowed as error:
            show(form, error)
        else:
            login(request, member)
            return redirect(after_setup[0] if after_setup else "/")
    return _form_page(request, "team/setup.html", form, {"token": token})


@login_not_required
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """Makes a member of whoever was invited."""
    token = request.POST.get("token") or request.GET.get("token", "")
    invited = invitation_of(token)
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            member = invitations.accept(token, given["name"], given["password"])
        except ValueNotAllowed as error:
            show(form, error)
        else:
            logout(request)
            login(request, member)
            return redirect("/")
    return _form_page(request, "team/accept.html", form, {"token": token, "invited": invited})


@login_not_required
@require_http_methods(["GET", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """For a member who has forgotten theirs. They log in with it as always: second factors stay what they are."""
    token = request.POST.get("token") or request.GET.get("token", "")
    member = password_link_member(token)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            use_password_link(token, form.cleaned_data["password"])
        except ValueNotAllowed as error:
            show(form, error)
        else:
            return redirect("team:login")
    return _form_page(request, "team/new_password.html", form, {"token": token, "email": member.email})


@login_not_required
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    following = following_of(request)
    if request.user.is_authenticated:
        return redirect(following)
    form = LoginForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        credentials = {"email": form.cleaned_data["email"], "password": form.cleaned_data["password"]}
        try:
            member = get_adapter().authenticate(request, **credentials)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if member is not None:
                return perform_password_login(request, credentials, Login(user=member, redirect_url=following))
            # One sentence for both: who asks does not learn which addresses are members.
            form.add_error(None, _("This address and password do not belong together."))
    return login_page(request, form, following)


def login_page(request: HttpRequest, form: Form, following: str) -> HttpResponse:
    """Password, passkey, and the provider if one is configured."""
    providers = [
        (provider.name, reverse("openid_connect_login", args=[provider.app.provider_id]))
        for provider in get_provider_adapter().list_providers(request)
    ]
    return _form_page(request, "team/login.html", form, {"next": following, "providers": providers})


@login_not_required
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("team:login")


def following_of(request: HttpRequest) -> str:
    """Where to go once inside: an address of ours, or the start."""
    following = request.POST.get("next") or request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure()):
        return following
    return resolve_url("/")


def _form_page(request: HttpRequest, template: str, form: Form, context: dict[str, Any]) -> HttpResponse:
    status = REFUSED if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


def show(form: Form, error: ValueNotAllowed) -> None:
    """At the field it points to."""
    field = error.pointer.removeprefix("/")
    form.add_error(field if field in form.fields else None, said(error.message))
