"""The bundled sample: the choice right after set-up, loading it, and removing it by typing its name (D-15, D-16)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from muster.groups.actions.sample import SCOPES, check_removable, order_removal
from muster.groups.queries import sample as queries
from muster.groups.sample.loading import check_loadable, order_loading
from muster.groups.terms import SAMPLE_NAME
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.web.answers import REFUSED
from muster.web.hooks import can
from muster.web.wording import said


@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Right after set-up: look around with demo data, or start empty."""
    actor = permitted(request, "groups:read")
    if queries.is_shown() or queries.is_loading() or request.POST.get("do") == "empty":
        return redirect("web:overview")
    if request.method == "GET":
        return render(request, "groups/begin.html", {"refusal": _load_refusal(actor)})
    permitted(request, *SCOPES)
    try:
        order_loading(actor)
    except MusterError as error:
        return render(request, "groups/begin.html", {"refusal": error.message, "error": error}, status=REFUSED)
    return redirect("web:overview")


@require_http_methods(["GET", "POST"])
def sample(request: HttpRequest) -> HttpResponse:
    actor = permitted(request, "groups:read")
    if request.method == "GET":
        return _page(request, actor)
    permitted(request, *SCOPES)
    typed = request.POST.get("typed", "")
    try:
        job = order_loading(actor) if request.POST.get("do") == "load" else order_removal(actor, typed)
    except MusterError as error:
        return _page(request, actor, {"error": error, "typed": typed})
    return redirect("web:job", job_id=job.id) if job and can(actor, "jobs:read") else redirect("groups:list")


def _page(request: HttpRequest, actor: Principal, more: dict[str, Any] | None = None) -> HttpResponse:
    found = queries.sample()
    shown: dict[str, Any] = {
        "there": bool(found.apps or found.groups or found.imports),
        "apps": len(found.apps),
        "groups": len(found.groups),
        "imports": len(found.imports),
        "name": SAMPLE_NAME,
        "refusal": refusal(actor, *SCOPES) or _refusal(found),
        "load_refusal": _load_refusal(actor),
        "unfinished": not queries.is_loaded() and not queries.is_loading(),
        "loading": queries.is_loading(),
        **(more or {}),
    }
    return render(request, "groups/sample.html", shown, status=REFUSED if "error" in shown else 200)


def _load_refusal(actor: Principal) -> str:
    """Why it cannot be loaded, in the words of the API."""
    if told := refusal(actor, *SCOPES):
        return told
    try:
        check_loadable()
    except MusterError as error:
        return error.message
    return ""


def _refusal(found: queries.Sample) -> str:
    """Why it cannot be removed now, in the words of the API; nothing if it can."""
    try:
        check_removable(found)
    except MusterError as error:
        return said(error.message)
    return ""
