"""A segment beside up to five other groups: how many are in exactly which of them (G-19)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from muster.groups.models import Group
from muster.groups.pages.segment_head import head
from muster.groups.queries.groups import group_row, groups
from muster.groups.queries.previews import overlap_of
from muster.kernel.errors import MusterError
from muster.web.problems import status_of

_MOST_OFFERED = 200


def compare(request: HttpRequest, row: Group) -> HttpResponse:
    """`?with=` once for each other group, by id or key."""
    chosen = request.GET.getlist("with")
    shown = head(request, row, "compare")
    offered = [one for one in groups(limit=_MOST_OFFERED).items if one.id != row.id]
    shown |= {"offered": [(one, one.id in chosen or one.key in chosen) for one in offered]}
    status = 200
    if chosen:
        try:
            shown |= overlap_shown([row.id, *chosen], may_list=shown["may_list"])
        except MusterError as error:
            shown["error"] = error
            status = status_of(error)
    return render(request, "groups/segment/compare.html", shown, status=status)


def overlap_shown(references: list[str], *, may_list: bool) -> dict[str, Any]:
    """What `groups/overlap.html` shows of two to six groups; the first of them stands first."""
    found = overlap_of(references, may_list=may_list)
    compared = list({one.id: one for one in map(group_row, references)}.values())
    compared[1:] = sorted(compared[1:], key=lambda one: (one.name, one.id))
    rows = [([one.id in combination for one in compared], told) for combination, told in found]
    return {"compared": compared, "rows": rows}
