"""Keys that customer tokens of an app are verified with: made, shown once, revoked."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from muster.catalog.actions.keys import create_token_key, revoke_token_key
from muster.catalog.errors import CatalogError
from muster.catalog.forms import TokenKeyForm
from muster.catalog.pages.apps import app_head
from muster.catalog.pages.keys import check_sure, deeds_of_keys, made_by, told
from muster.catalog.queries import token_key_of
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted
from muster.team.policies import can
from muster.web.answers import REFUSED, show_error
from muster.web.sent_once import sent_once
from muster.web.shown_once import keep_secret, take_secret


@require_http_methods(["GET", "POST"])
@sent_once
def new_token_key(request: HttpRequest, key: str) -> HttpResponse:
    """The secret of HS256 is made here and shown once; of EdDSA the public key is given."""
    actor = permitted(request, "catalog:write")
    shown = app_head(actor, key, "keys")
    form = TokenKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made, secret = create_token_key(
                actor,
                key,
                algorithm=given["algorithm"],
                id=given["id"].strip() or None,
                public_key=given["public_key"].strip() or None,
            )
        except MusterError as error:
            show_error(form, error)
        else:
            if secret:
                keep_secret(request, _name(key, made.id), secret)
            return redirect("catalog:token_key", key=key, key_id=made.id)
    return render(
        request, "catalog/token_key_form.html", shown | {"form": form}, status=REFUSED if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
def show_token_key(request: HttpRequest, key: str, key_id: str) -> HttpResponse:
    """What it is and who did what to it; a POST revokes it."""
    asker = permitted(request, "catalog:read")
    error: CatalogError | None = None
    if request.method == "POST":
        actor = permitted(request, "catalog:write")
        try:
            check_sure(request)
            revoke_token_key(actor, key, key_id)
        except CatalogError as refused:
            error = refused
        else:
            return redirect("catalog:keys", key=key)
    shown = app_head(asker, key, "keys")
    one = token_key_of(key, key_id)
    deeds = deeds_of_keys(key, [], [one])
    shown |= {
        "token_key": one,
        "made_by": made_by(deeds, key_id),
        "secret": "" if error else take_secret(request, _name(key, key_id)),
        "deeds": told(asker, deeds.get(key_id, [])),
        "may_audit": can(asker, "audit:read"),
        "error": error,
    }
    return render(request, "catalog/token_key.html", shown, status=REFUSED if error else 200)


def _name(app_key: str, identifier: str) -> str:
    return f"token_key:{app_key}:{identifier}"
