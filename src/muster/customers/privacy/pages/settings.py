"""Settings > Privacy: the floor, ages, how long things are kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from muster.catalog.actions import edit_publisher
from muster.catalog.queries import publisher
from muster.customers.forms import PURPOSE_LABELS
from muster.customers.privacy.actions.retention import edit_privacy
from muster.customers.privacy.forms import FloorForm, KeptForm
from muster.customers.privacy.pages.person import UNSET
from muster.customers.privacy.queries import SETTINGS, kept
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.web.answers import REFUSED, show_error

_FLOOR = ("minimum_size", "minimum_age", "require_known_age")


@require_http_methods(["GET", "POST"])
def show_settings(request: HttpRequest) -> HttpResponse:
    """Two forms; `do` says which was sent."""
    asker = permitted(request, "customers:read")
    sent = request.POST.get("do", "") if request.method == "POST" else ""
    now, times = publisher(), kept()
    floor = FloorForm(
        request.POST if sent == "floor" else None,
        initial={name: getattr(now, name) for name in (*_FLOOR, "revision")},
        prefix="floor",
    )
    periods = KeptForm(
        request.POST if sent == "kept" else None,
        initial={name: getattr(times, name) for name in (*SETTINGS, "revision")},
        prefix="kept",
    )
    if sent and _saved(request, floor if sent == "floor" else periods, sent):
        return redirect("customers:settings_privacy")
    shown: dict[str, Any] = {
        "floor": floor,
        "kept": periods,
        "floor_refusal": refusal(asker, "catalog:write"),
        "kept_refusal": refusal(asker, "team:admin"),
        "unset": [(PURPOSE_LABELS[about], allowed) for about, allowed in UNSET.items()],
        "personal_refusal": refusal(asker, "customers:personal"),
    }
    refused = bool(floor.errors or periods.errors) or (request.method == "POST" and not sent)
    return render(request, "customers/settings_privacy.html", shown, status=REFUSED if refused else 200)


def _saved(request: HttpRequest, form: Any, sent: str) -> bool:
    """Whether the settings of a form are in force; what is wrong stands in it otherwise."""
    actor = permitted(request, "catalog:write" if sent == "floor" else "team:admin")
    if not form.is_valid():
        return False
    given = dict(form.cleaned_data)
    revision = given.pop("revision")
    try:
        (edit_publisher if sent == "floor" else edit_privacy)(actor, revision=revision, **given)
    except MusterError as error:
        show_error(form, error)
        return False
    return True
