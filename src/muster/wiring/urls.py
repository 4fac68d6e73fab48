"""All addresses: the API, the rooms' pages, static files."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles.views import serve
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import include, path

from muster.team.urls import sign_in
from muster.web.problems import bad_request, not_found, server_error, too_many_requests
from muster.wiring.api import api

handler400 = bad_request
handler404 = not_found
handler500 = server_error
handler429 = too_many_requests


@login_not_required
def static_file(request: HttpRequest, path: str) -> HttpResponseBase:
    """The style of the log-in page is needed before anybody is logged in."""
    response = serve(request, path, insecure=True)
    response.headers["Cache-Control"] = "public, no-cache"
    return response


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """The process answers; says nothing else to anybody."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("healthz", health, name="health"),
    path("api/v1/", api.urls),
    path("static/<path:path>", static_file, name="static"),
    path("", include("muster.team.urls")),
    path("", include(sign_in)),
    path("", include("muster.web.urls")),
]
for room in ("audit", "groups", "customers", "catalog"):
    if find_spec(f"muster.{room}.urls"):
        urlpatterns.append(path("", include(f"muster.{room}.urls")))
