"""Pages that answer a part of themselves where a script asks for it (D-1)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from muster.kernel.digits import whole


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks, which puts the answer into the page that is open."""
    return request.headers.get("HX-Request") == "true"


def turn_of(request: HttpRequest) -> int:
    """The how-manieth question of its page this is, as the page's script counts them; 0 without one."""
    return whole(request.headers.get("Muster-Turn", "")) or 0


def moved(request: HttpRequest, address: str) -> HttpResponse:
    """Goes to another page of ours, whoever asks: a redirect that htmx followed would land inside this page."""
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
