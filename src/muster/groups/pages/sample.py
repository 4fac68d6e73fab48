"""Removing the bundled sample: what goes, what stands in the way, and the name typed by whoever means it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from muster.groups.actions.sample import SCOPES, check_removable, order_removal
from muster.groups.queries import sample as queries
from muster.groups.terms import SAMPLE_NAME
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.web.answers import REFUSED
from muster.web.hooks import can
from muster.web.wording import said


@require_http_methods(["GET", "POST"])
def sample(request: HttpRequest) -> HttpResponse:
    actor = permitted(request, "groups:read")
    if request.method == "GET":
        return _page(request, actor)
    permitted(request, *SCOPES)
    typed = request.POST.get("typed", "")
    try:
        job = order_removal(actor, typed)
    except MusterError as error:
        return _page(request, actor, {"error": error, "typed": typed})
    return redirect("web:job", job_id=job.id) if can(actor, "jobs:read") else redirect("groups:list")


def _page(request: HttpRequest, actor: Principal, more: dict[str, Any] | None = None) -> HttpResponse:
    found = queries.sample()
    shown: dict[str, Any] = {
        "there": bool(found.apps or found.groups or found.imports),
        "apps": len(found.apps),
        "groups": len(found.groups),
        "imports": len(found.imports),
        "name": SAMPLE_NAME,
        "refusal": refusal(actor, *SCOPES) or _refusal(found),
        **(more or {}),
    }
    return render(request, "groups/sample.html", shown, status=REFUSED if "error" in shown else 200)


def _refusal(found: queries.Sample) -> str:
    """Why it cannot be removed now, in the words of the API; nothing if it can."""
    try:
        check_removable(found)
    except MusterError as error:
        return said(error.message)
    return ""
