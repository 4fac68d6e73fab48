"""Finding a customer by what names them exactly; nobody is listed, nobody is browsed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from muster.customers.people.queries.finding import PERSONAL, find
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.web.answers import unknown_parameters
from muster.web.problems import status_of

_LONGEST = 300


@require_GET
def show_find(request: HttpRequest) -> HttpResponse:
    """One customer is shown at once; several who hold one address are named by their ids."""
    asker = permitted(request, "customers:read")
    search = request.GET.get("search", "").strip()[:_LONGEST]
    shown: dict[str, Any] = {
        "search": search,
        "unknown": unknown_parameters(request, "search"),
        "personal_refusal": refusal(asker, PERSONAL),
        "import_refusal": refusal(asker, "customers:write", PERSONAL),
    }
    status = 200
    if search:
        try:
            found = list({one.id: one for one in find(asker, search)}.values())
        except MusterError as error:
            shown["error"], status = error, status_of(error)
        else:
            if len(found) == 1:
                return redirect("customers:customer", customer_id=found[0].id)
            ways = _ways()
            shown["found"] = [(one.id, ways[one.by], one.apps) for one in found]
    return render(request, "customers/find.html", shown, status=status)


def _ways() -> dict[str, str]:
    return {
        "id": _("its id"),
        "external": _("your own id"),
        "anonymous": _("an anonymous id"),
        "email": _("a verified e-mail address"),
        "unverified": _("an e-mail address that is not verified"),
    }
