"""The page of one group, whatever its kind."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from muster.groups.pages import known, segment
from muster.groups.pages.permits import permitted
from muster.groups.queries.groups import group_row
from muster.groups.terms import Kind


@require_GET
def show(request: HttpRequest, key: str) -> HttpResponse:
    """`key`: key or id of the group."""
    permitted(request, "groups:read")
    row = group_row(key)
    return known.known_page(request, row) if row.kind == Kind.KNOWN else segment.segment_page(request, row)
