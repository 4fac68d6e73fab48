"""My profile: name, how pages are shown, password, second factors, passkeys, where one is logged in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from allauth.mfa.models import Authenticator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from muster.team import queries
from muster.team.actions import passwords, preferences, sessions
from muster.team.errors import ValueNotAllowed
from muster.team.forms import NameForm, PasswordForm, PreferencesForm
from muster.team.models import Member
from muster.team.pages.entrance import show
from muster.team.pages.permits import reader
from muster.team.policies import member_principal
from muster.team.terms import ROLE_TEXTS
from muster.web.answers import REFUSED


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """One form for each; `do` says which was sent."""
    member = reader(request)
    done = request.POST.get("do", "")
    forms = _forms(member, request.POST if request.method == "POST" else None, done)
    form = forms.get(done)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            _change(request, member, done, form.cleaned_data)
        except ValueNotAllowed as error:
            show(form, error)
        else:
            return redirect("team:profile")
    return _page(request, member, forms, done if form is not None and form.errors else "")


def _forms(member: Member, sent: Any, done: str) -> dict[str, Form]:
    """Only the one that was sent is bound."""

    def given(name: str) -> Any:
        return sent if name == done else None

    return {
        "name": NameForm(given("name"), initial={"name": member.name}),
        "preferences": PreferencesForm(given("preferences"), initial=asdict(queries.preferences(member))),
        "password": PasswordForm(given("password")),
    }


def _change(request: HttpRequest, member: Member, done: str, given: dict[str, Any]) -> None:
    actor = member_principal(member)
    match done:
        case "name":
            preferences.change_name(actor, given["name"])
        case "preferences":
            preferences.change_preferences(actor, given)
        case _:
            passwords.change_password(request, member, given["old"], given["new"])


def _page(request: HttpRequest, member: Member, forms: dict[str, Form], refused: str) -> HttpResponse:
    factors = Authenticator.objects.filter(user=member).order_by("pk")
    by_type: dict[str, list[Any]] = {kind: [] for kind in Authenticator.Type.values}
    for factor in factors:
        by_type[factor.type].append(factor)
    codes = by_type["recovery_codes"]
    shown = {
        "member": member,
        "role": ROLE_TEXTS[member.role],
        "forms": forms,
        "refused": refused,
        "app": by_type["totp"][0] if by_type["totp"] else None,
        "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else None,
        "passkeys": [(key, key.wrap().name) for key in by_type["webauthn"]],
        "connected": queries.connected(member),
        "sessions": queries.sessions_of(member, request),
    }
    return render(request, "team/profile.html", shown, status=REFUSED if refused else 200)


@require_POST
def log_out_everywhere(request: HttpRequest) -> HttpResponse:
    sessions.log_out_everywhere(request, reader(request))
    return redirect("team:profile")


@require_POST
def close_session(request: HttpRequest, session_id: str) -> HttpResponse:
    sessions.close_session(reader(request), session_id)
    return redirect("team:profile")
