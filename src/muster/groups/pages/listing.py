"""Customer groups: every group with its size."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from muster.groups.pages.why import MOST_SHOWN
from muster.groups.pages.words import reader_words
from muster.groups.queries import groups
from muster.groups.queries.evaluation import definition_of, vocabulary
from muster.groups.terms import Kind
from muster.rules.describe.sentence import sentence
from muster.web.hooks import can, check_scope, identify


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Works for everybody who may see groups; the box only for who may see members."""
    asker = identify(request)
    check_scope(asker, "groups:read")
    words = reader_words()
    known = vocabulary()
    page = groups.groups(limit=MOST_SHOWN)
    rows = [
        (group, sentence(definition_of(groups.group_row(group.id), known), words) if group.definition else _list(group))
        for group in page.items
    ]
    shown = {
        "rows": rows,
        "groups": page.items,
        "may_ask": can(asker, "members:read"),
        "may_write": can(asker, "groups:write"),
    }
    return render(request, "groups/start.html", shown)


def _list(group: groups.GroupView) -> str:
    """What a known user group is, in a line."""
    if group.kind != Kind.KNOWN:
        return ""
    entries = ngettext("List with %(count)s entry", "List with %(count)s entries", group.entries)
    pending = ngettext("%(count)s of them waiting", "%(count)s of them waiting", group.pending)
    told = [entries % {"count": group.entries}]
    return ", ".join(told + ([pending % {"count": group.pending}] if group.pending else []))
