"""Settings > Privacy: the floor, ages, what an unset consent means, how long things are kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from muster.catalog.actions import edit_publisher
from muster.catalog.queries import publisher
from muster.customers.privacy.actions.retention import edit_privacy
from muster.customers.privacy.forms import FloorForm, KeptForm, UnsetForm, unset_values
from muster.customers.privacy.queries import SETTINGS, kept
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.web.answers import REFUSED, show_error

_FLOOR = ("minimum_size", "minimum_age", "require_known_age")
_SCOPES = {"floor": ("catalog:write",), "unset": ("catalog:write", "team:admin"), "kept": ("team:admin",)}


@require_http_methods(["GET", "POST"])
def show_settings(request: HttpRequest) -> HttpResponse:
    """Three forms; `do` says which was sent."""
    asker = permitted(request, "customers:read")
    sent = request.POST.get("do", "") if request.method == "POST" else ""
    shown_forms = _forms(request, sent)
    if sent and (chosen := shown_forms.get(sent)) and _saved(request, chosen, sent):
        return redirect("customers:settings_privacy")
    shown: dict[str, Any] = {
        **shown_forms,
        "floor_refusal": refusal(asker, "catalog:write"),
        "unset_refusal": refusal(asker, "catalog:write", "team:admin"),
        "kept_refusal": refusal(asker, "team:admin"),
        "personal_refusal": refusal(asker, "customers:personal"),
    }
    refused = request.method == "POST"
    return render(request, "customers/settings_privacy.html", shown, status=REFUSED if refused else 200)


def _forms(request: HttpRequest, sent: str) -> dict[str, Any]:
    """By what `do` says of each; the one that was sent holds what was typed."""
    now, times = publisher(), kept()
    begun: dict[str, tuple[type[Any], dict[str, Any]]] = {
        "floor": (FloorForm, {name: getattr(now, name) for name in (*_FLOOR, "revision")}),
        "unset": (UnsetForm, {**unset_values(now.unset_consents), "revision": now.revision}),
        "kept": (KeptForm, {name: getattr(times, name) for name in (*SETTINGS, "revision")}),
    }
    return {
        name: kind(request.POST if sent == name else None, initial=initial, prefix=name)
        for name, (kind, initial) in begun.items()
    }


def _saved(request: HttpRequest, form: Any, sent: str) -> bool:
    """Whether the settings of a form are in force; what is wrong stands in it otherwise."""
    actor = permitted(request, *_SCOPES[sent])
    if not form.is_valid():
        return False
    given = dict(form.cleaned_data)
    revision = given.pop("revision")
    if sent == "unset":
        given = {"unset_consents": form.answer}
    try:
        (edit_privacy if sent == "kept" else edit_publisher)(actor, revision=revision, **given)
    except MusterError as error:
        show_error(form, error)
        return False
    return True
