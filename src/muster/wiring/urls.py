"""All addresses that Django answers: the API and the rooms' pages. Static files stand before it."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from muster.team.urls import sign_in
from muster.web.problems import bad_request, not_found, server_error, too_many_requests
from muster.wiring.api import api

handler400 = bad_request
handler404 = not_found
handler500 = server_error
handler429 = too_many_requests


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """The process answers; says nothing else to anybody."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("healthz", health, name="health"),
    path("api/v1/", api.urls),
    path("", include("muster.team.urls")),
    path("", include(sign_in)),
    path("", include("muster.web.urls")),
    path("", include("muster.wiring.operation.urls")),
]
for room in ("audit", "groups", "customers", "catalog", "webhooks"):
    if find_spec(f"muster.{room}.urls"):
        urlpatterns.append(path("", include(f"muster.{room}.urls")))
