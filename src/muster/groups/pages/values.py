"""Suggestions for a field of the builder: what data holds of a property, the most frequent first (D-21)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from muster.groups.queries.suggestions import values_of
from muster.team.pages.permits import permitted


@require_GET
def values(request: HttpRequest) -> HttpResponse:
    """Options of a list of suggestions; none for an event or property nobody knows."""
    permitted(request, "groups:write")
    found = values_of(request.GET.get("event", ""), request.GET.get("property", ""))
    return render(request, "groups/builder/values.html", {"values": found})
