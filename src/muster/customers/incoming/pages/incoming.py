"""What came in from an app: how much was taken, what was refused and why, and taking it once more."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from muster.catalog.pages.apps import app_head
from muster.catalog.queries import app_number
from muster.customers.actions.replay import order_replay
from muster.customers.incoming.pages.verdicts import meaning_of
from muster.customers.incoming.queries import RefusedView, refused, senders_of, verdict_counts
from muster.kernel.digits import whole
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import can
from muster.warehouse.refused import Asked
from muster.web.answers import unknown_parameters
from muster.web.hooks import preferences

# Of what was sent; the rest is for programs.
_SHOWN_CHARACTERS = 2_000


@require_http_methods(["GET", "POST"])
def show_incoming(request: HttpRequest, key: str) -> HttpResponse:
    """A POST replays what was refused; of one verdict, if it is named."""
    asker = permitted(request, "customers:read")
    number = app_number(key)
    if request.method == "POST":
        actor = permitted(request, "customers:write")
        job = order_replay(actor, Asked(app=number, code=request.POST.get("code") or None))
        return redirect("web:job", job_id=job.id)
    code = request.GET.get("code", "")
    # What is no place is the beginning.
    before = whole(request.GET.get("before", ""))
    personal = can(asker, "customers:personal")
    rows = preferences(request).rows
    found = refused(Asked(app=number, code=code or None), before, rows + 1, personal=personal)
    counts = verdict_counts(Asked(app=number))
    shown: dict[str, Any] = app_head(asker, key, "incoming") | {
        "senders": senders_of(key),
        "counts": [(one, meaning_of(one.code)) for one in counts],
        "total": sum(one.count for one in counts),
        "replayable": sum(one.replayable for one in counts),
        "rows": [(one, meaning_of(one.code), _beginning(one)) for one in found[:rows]],
        "code": code,
        "older": _older(code, found, rows),
        "is_first": before is None,
        "personal": personal,
        "write_refusal": refusal(asker, "customers:write"),
        "unknown": unknown_parameters(request, "code", "before"),
        "refusal": "",
    }
    return render(request, "customers/incoming.html", shown)


def _beginning(one: RefusedView) -> str:
    return (one.item or "")[:_SHOWN_CHARACTERS]


def _older(code: str, found: list[RefusedView], rows: int) -> str:
    if len(found) <= rows:
        return ""
    told = {"code": code, "before": str(found[rows - 1].number)}
    return "?" + urlencode({name: value for name, value in told.items() if value})
