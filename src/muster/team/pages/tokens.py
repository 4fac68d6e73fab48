"""API tokens: what programs of the publisher log in with."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from muster.team import queries
from muster.team.actions import tokens as actions
from muster.team.errors import ValueNotAllowed
from muster.team.forms import TokenForm
from muster.team.pages.permits import permitted
from muster.web.answers import REFUSED
from muster.web.wording import said


@require_GET
def tokens(request: HttpRequest) -> HttpResponse:
    """Those that open something first; the revoked stay, because the audit trail names them."""
    permitted(request, "team:admin")
    every = queries.tokens()
    shown = {"tokens": sorted(every, key=lambda token: token.revoked_at is not None)}
    return render(request, "team/tokens.html", shown)


@require_http_methods(["GET", "POST"])
def new_token(request: HttpRequest) -> HttpResponse:
    """The secret is in the answer to the form and nowhere else."""
    actor = permitted(request, "team:admin")
    form = TokenForm(actor.scopes, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, secret = actions.create_token(actor, form.cleaned_data["name"], form.cleaned_data["scopes"])
        except ValueNotAllowed as error:
            form.add_error(error.pointer.split("/")[1], said(error.message))
        else:
            return render(request, "team/token_made.html", {"token": token, "secret": secret})
    return render(request, "team/new_token.html", {"form": form}, status=REFUSED if form.errors else 200)


@require_POST
def revoke_token(request: HttpRequest, token_id: str) -> HttpResponse:
    actions.revoke_token(permitted(request, "team:admin"), token_id)
    return redirect("team:tokens")
