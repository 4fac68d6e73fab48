"""Customer groups: a table to find, sort and compare them in, and templates to start from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from muster.catalog.queries import apps
from muster.groups.actions.segments import copy_template
from muster.groups.pages.words import STATES, reader_words, told_definition
from muster.groups.queries.evaluation import vocabulary
from muster.groups.queries.groups import GroupView
from muster.groups.queries.listing import SORTS, Wanted, listing
from muster.groups.queries.templates import TEMPLATES, template
from muster.groups.terms import Kind
from muster.kernel.clock import system_clock
from muster.rules.describe.words import Words
from muster.rules.vocabulary import Vocabulary
from muster.team.pages.permits import permitted
from muster.web.answers import unknown_parameters
from muster.web.charts import spark
from muster.web.hooks import can, check_scope, identify

ROWS = (25, 50, 100)
_NAMES = ("q", "kind", "app", "state", "tag", "sort", "page", "rows")


@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """The address says what is shown (D-11); what it says beyond that is named, not ignored (D-29)."""
    asker = identify(request)
    check_scope(asker, "groups:read")
    wanted = _wanted(request)
    found = listing(wanted, system_clock(), may_list=can(asker, "members:read"))
    known, words = vocabulary(archived=True, names=found.names), reader_words(found.names)
    names = {app.key: app.label(get_language() or "en") for app in apps()}
    shown: dict[str, Any] = {
        "found": found,
        "wanted": wanted,
        "rows": [
            (one.group, _told(one.group, known, words), names.get(one.group.app or ""), one, spark(one.trend))
            for one in found.lines
        ],
        "inactive": [(one, _told(one, known, words), names.get(one.app or "")) for one in found.inactive],
        "groups": found.choices,
        "columns": _columns(wanted),
        "pages": _pages(wanted, found.page, found.pages),
        "row_choices": [(rows, _address(replace(wanted, rows=rows, page=1)), rows == wanted.rows) for rows in ROWS],
        "first": (found.page - 1) * wanted.rows + 1,
        "last": min(found.page * wanted.rows, found.total),
        "kinds": [(Kind.SEGMENT, _("Segment")), (Kind.KNOWN, _("Known users"))],
        "states": [(state, look.label) for state, look in STATES.items()],
        "apps": names,
        "templates": list(TEMPLATES.values()),
        "minimum": found.minimum_size,
        "narrowed": _address(replace(wanted, sort="name", page=1, rows=ROWS[0])) != "?",
        "empty": not found.choices and not wanted.state,
        "may_write": can(asker, "groups:write"),
        "may_ask": can(asker, "members:read"),
        "unknown": unknown_parameters(request, *_NAMES),
    }
    return render(request, "groups/list.html", shown)


@require_POST
def copy(request: HttpRequest) -> HttpResponse:
    """An editable segment from a template, for the app chosen beside it."""
    actor = permitted(request, "groups:write")
    chosen = template(request.POST.get("template", ""))
    made = copy_template(actor, chosen.key, request.POST["app"], chosen.title)
    return redirect("groups:group", key=made.key)


def _wanted(request: HttpRequest) -> Wanted:
    given = request.GET
    rows, page = (_whole(given.get(name, "")) for name in ("rows", "page"))
    sort = given.get("sort", "name")
    return Wanted(
        search=given.get("q", "")[:200],
        kind=given.get("kind", ""),
        app=given.get("app", ""),
        state=given.get("state", ""),
        tag=given.get("tag", ""),
        sort=sort if sort.removeprefix("-") in SORTS else "name",
        page=max(1, page),
        rows=rows if rows in ROWS else ROWS[0],
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0


def _address(wanted: Wanted) -> str:
    """The query of a page that shows this; what is as usual is left out."""
    said = {
        "q": wanted.search,
        "kind": wanted.kind,
        "app": wanted.app,
        "state": wanted.state,
        "tag": wanted.tag,
        "sort": "" if wanted.sort == "name" else wanted.sort,
        "page": "" if wanted.page == 1 else wanted.page,
        "rows": "" if wanted.rows == ROWS[0] else wanted.rows,
    }
    return "?" + urlencode({name: value for name, value in said.items() if value})


def _columns(wanted: Wanted) -> dict[str, tuple[str, str]]:
    """By column: where its header leads, and how it is sorted now (`aria-sort`, empty if it is not)."""
    columns = {}
    for name in SORTS:
        other = f"-{name}" if wanted.sort == name else name
        sorted_now = {name: "ascending", f"-{name}": "descending"}.get(wanted.sort, "")
        columns[name] = (_address(replace(wanted, sort=other, page=1)), sorted_now)
    return columns


def _pages(wanted: Wanted, page: int, pages: int) -> dict[str, str]:
    """Addresses of the page before and after, where there is one."""
    before = _address(replace(wanted, page=page - 1)) if page > 1 else ""
    return {"before": before, "after": _address(replace(wanted, page=page + 1)) if page < pages else ""}


def _told(group: GroupView, known: Vocabulary, words: Words) -> str:
    """What a group is, in a line: its sentence, or what stands on its list."""
    if group.definition:
        return told_definition(group.definition, known, words)
    if group.kind != Kind.KNOWN:
        return ""
    entries = ngettext("List with %(count)s entry", "List with %(count)s entries", group.entries)
    pending = ngettext("%(count)s of them waiting", "%(count)s of them waiting", group.pending)
    told = [entries % {"count": group.entries}]
    return ", ".join(told + ([pending % {"count": group.pending}] if group.pending else []))
