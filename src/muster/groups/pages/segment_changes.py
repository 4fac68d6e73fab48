"""What happened to a segment: who joined and left, and what it was before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from muster.groups.models import Group, GroupVersion
from muster.groups.pages.segment_head import head
from muster.groups.pages.words import reader_words, told_definition
from muster.groups.queries.evaluation import vocabulary
from muster.groups.queries.groups import versions as versions_of
from muster.groups.queries.history import change_of_group, changes_of
from muster.groups.terms import Cause
from muster.rules.describe.words import Words
from muster.rules.vocabulary import Vocabulary
from muster.web.hooks import check_scope, identify

_A_PAGE = 50
_MOST_VERSIONS = 100


@dataclass(frozen=True)
class VersionLine:
    """`same`: the definition is that of the version before; `unreadable`: it names what is gone."""

    version: GroupVersion
    sentence: str
    same: bool
    unreadable: bool


def changes(request: HttpRequest, row: Group) -> HttpResponse:
    """Newest first, `?cursor=` for older ones (G-17)."""
    cursor = request.GET.get("cursor") or None
    shown = head(request, row, "changes")
    found, following = changes_of(row.id, may_list=shown["may_list"], cursor=cursor, limit=_A_PAGE)
    causes = _causes()
    shown |= {
        "changes": [(one, causes.get(one.cause, one.cause)) for one in found],
        "cursor": cursor,
        "following": "?" + urlencode({"cursor": following}) if following else "",
    }
    return render(request, "groups/segment/changes.html", shown)


def change(request: HttpRequest, row: Group, number: int) -> HttpResponse:
    """Who joined and who left with one change: the first thousand of each."""
    check_scope(identify(request), "members:read")
    shown = head(request, row, "changes")
    detail = change_of_group(row.id, number)
    shown |= {
        "detail": detail,
        "change": detail.change,
        "cause": _causes().get(detail.change.cause, detail.change.cause),
        "sides": [
            (_("Joined"), detail.change.joined, detail.joined),
            (pgettext("members", "Left"), detail.change.left, detail.left),
        ],
    }
    return render(request, "groups/segment/change.html", shown)


def _causes() -> dict[str, str]:
    return {
        Cause.DEFINITION: _("Definition saved"),
        Cause.DATA: _("New data"),
        Cause.TIME: _("Time passed"),
        Cause.FULL: _("Refreshed"),
        Cause.LIST: _("List changed"),
        Cause.UNDO: _("Undone"),
    }


def versions(request: HttpRequest, row: Group) -> HttpResponse:
    """Newest first: who saved what, and the sentence of each definition."""
    shown: dict[str, Any] = head(request, row, "history")
    found = versions_of(row.id)
    known, words = vocabulary(archived=True), reader_words()
    lines = [
        _line(one, found[place + 1] if place + 1 < len(found) else None, known, words)
        for place, one in enumerate(found[:_MOST_VERSIONS])
    ]
    shown |= {"lines": lines, "left_out": len(found) - len(lines)}
    return render(request, "groups/segment/history.html", shown)


def _line(one: GroupVersion, before: GroupVersion | None, known: Vocabulary, words: Words) -> VersionLine:
    same = before is not None and before.definition == one.definition
    told = told_definition(one.definition, known, words)
    return VersionLine(one, told, same, unreadable=not told)
