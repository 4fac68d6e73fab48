"""Whom no message may reach."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from muster.customers.privacy.actions.suppressions import lift_suppression, suppress
from muster.customers.privacy.forms import REASON_LABELS, SuppressionForm
from muster.customers.privacy.pages.erasures import position
from muster.customers.privacy.queries import suppressions
from muster.kernel.errors import MusterError
from muster.kernel.paging import encode_cursor
from muster.team.pages.permits import permitted, refusal
from muster.web.answers import REFUSED, show_error, unknown_parameters

_A_PAGE = 50


@require_http_methods(["GET", "POST"])
def show_list(request: HttpRequest) -> HttpResponse:
    """Newest first, and a form for another one."""
    asker = permitted(request, "customers:personal")
    form = SuppressionForm(request.POST or None)
    if request.method == "POST":
        actor = permitted(request, "customers:write")
        if form.is_valid():
            try:
                suppress(actor, **form.cleaned_data)
            except MusterError as error:
                show_error(form, error)
            else:
                return redirect("customers:suppressions")
    before = position(request.GET.get("cursor", ""))
    found = suppressions(before, _A_PAGE + 1)
    older = ""
    if len(found) > _A_PAGE:
        last = found[_A_PAGE - 1]
        older = "?" + urlencode({"cursor": encode_cursor([last.since.isoformat(), last.id])})
    shown: dict[str, Any] = {
        "form": form,
        "rows": [(one, REASON_LABELS.get(one.reason, one.reason)) for one in found[:_A_PAGE]],
        "older": older,
        "is_first": before is None,
        "unknown": unknown_parameters(request, "cursor"),
        "write_refusal": refusal(asker, "customers:write"),
    }
    return render(request, "customers/suppressions.html", shown, status=REFUSED if form.errors else 200)


@require_POST
def lift(request: HttpRequest, suppression_id: str) -> HttpResponse:
    lift_suppression(permitted(request, "customers:write", "customers:personal"), suppression_id)
    return redirect("customers:suppressions")
