"""The page of one group: by what it is, and which of its pages is asked for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from muster.groups.actions.segments import change_state
from muster.groups.errors import GroupUnknown
from muster.groups.models import Group
from muster.groups.pages import known, segment, segment_changes, segment_facts, segment_members, segment_overlap
from muster.groups.queries.groups import group_row
from muster.groups.terms import Kind
from muster.kernel.digits import whole
from muster.kernel.worded import worded
from muster.team.pages.permits import permitted
from muster.web.hooks import check_scope, identify

Page = Callable[[HttpRequest, Group], HttpResponse]
TABS: dict[str, Page] = {
    "members": segment_members.members,
    "changes": segment_changes.changes,
    "compare": segment_overlap.compare,
    "used-by": segment_facts.used_by,
    "history": segment_changes.versions,
    "health": segment_facts.health,
    "api": segment_facts.api,
}
"""The pages of a segment besides its overview, by the end of their address."""


@require_GET
def show(request: HttpRequest, key: str) -> HttpResponse:
    """The overview of a segment, or a list with its imports."""
    check_scope(identify(request), "groups:read")
    row = group_row(key)
    return known.known_page(request, row) if row.kind == Kind.KNOWN else segment.segment_page(request, row)


@require_GET
def tab(request: HttpRequest, key: str, tab: str) -> HttpResponse:
    check_scope(identify(request), "groups:read")
    return TABS[tab](request, _segment(key))


@require_GET
def show_change(request: HttpRequest, key: str, number: str) -> HttpResponse:
    check_scope(identify(request), "groups:read")
    row = _segment(key)
    place = whole(number)
    if place is None:
        raise GroupUnknown(
            worded("“{name}” remembers no change {number}.", name=row.name, number=number), code="change_unknown"
        )
    return segment_changes.change(request, row, place)


@require_POST
def change(request: HttpRequest, key: str, verb: str) -> HttpResponse:
    """Refresh, retry, activate or restore, then the overview again."""
    change_state(permitted(request, "groups:write"), key, verb)
    return redirect("groups:group", key=key)


def _segment(key: str) -> Group:
    row = group_row(key)
    if row.kind != Kind.SEGMENT:
        raise GroupUnknown(worded("There is no segment `{key}`.", key=key))
    return row
