"""Erasures: which were ordered, how far each is, and the receipt."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from muster.customers.errors import ErasureUnknown
from muster.customers.privacy.actions.erasures import withdraw_erasure
from muster.customers.privacy.queries import erasure_row, erasure_view, erasures
from muster.customers.terms import ErasureState
from muster.kernel.errors import MusterError
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.kernel.worded import worded
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.web.answers import REFUSED, unknown_parameters

_A_PAGE = 25
_LOOK_AGAIN_SECONDS = 2


@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """Newest first, older ones by cursor."""
    permitted(request, "customers:read")
    before = position(request.GET.get("cursor", ""))
    found = erasures(before, _A_PAGE + 1)
    older = ""
    if len(found) > _A_PAGE:
        last = found[_A_PAGE - 1]
        older = "?" + urlencode({"cursor": encode_cursor([last.requested_at.isoformat(), last.id])})
    shown = {
        "rows": found[:_A_PAGE],
        "older": older,
        "is_first": before is None,
        "unknown": unknown_parameters(request, "cursor"),
    }
    return render(request, "customers/erasures.html", shown)


def position(cursor: str) -> tuple[str, str] | None:
    """Where a list that is sorted by time and id goes on."""
    if not cursor:
        return None
    match decode_cursor(cursor):
        case [str(at), str(identifier)]:
            return at, identifier
    raise cursor_invalid()


@require_GET
def show_erasure(request: HttpRequest, erasure_id: str) -> HttpResponse:
    return _erasure_page(request, permitted(request, "customers:read"), erasure_id)


@require_POST
def withdraw(request: HttpRequest, erasure_id: str) -> HttpResponse:
    """While its grace lasts."""
    actor = permitted(request, "customers:erase")
    try:
        withdraw_erasure(actor, erasure_id)
    except MusterError as error:
        return _erasure_page(request, actor, erasure_id, error)
    return redirect("customers:erasure", erasure_id=erasure_id)


@require_GET
def receipt(request: HttpRequest, erasure_id: str) -> HttpResponse:
    """The receipt as a file, for the records; it names nobody."""
    permitted(request, "customers:read")
    view = erasure_view(erasure_row(erasure_id))
    if view.receipt is None:
        raise ErasureUnknown(worded("Erasure {id} has no receipt yet.", id=view.id))
    headers = {"Content-Disposition": f'attachment; filename="{view.id}.json"'}
    return JsonResponse(view.receipt, headers=headers)


def _erasure_page(
    request: HttpRequest, asker: Principal, erasure_id: str, error: MusterError | None = None
) -> HttpResponse:
    view = erasure_view(erasure_row(erasure_id))
    shown: dict[str, Any] = {
        "view": view,
        "places": sorted(view.places.items()),
        "error": error,
        "erase_refusal": refusal(asker, "customers:erase"),
    }
    response = render(request, "customers/erasure.html", shown, status=REFUSED if error else 200)
    moving = view.state in (ErasureState.RUNNING, ErasureState.VERIFYING) or (
        view.state == ErasureState.REQUESTED and bool(view.job)
    )
    if moving and error is None:
        response.headers["Refresh"] = str(_LOOK_AGAIN_SECONDS)
    return response
