"""Customer groups: a table to find, sort and compare them in, and templates to start from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from muster.groups.actions.segments import copy_template
from muster.groups.pages.listing_csv import csv_lines
from muster.groups.pages.listing_rows import TABLE, Teller, headings
from muster.groups.pages.words import STATES
from muster.groups.queries.listing import SORTS, Listing, Wanted, listing
from muster.groups.queries.templates import TEMPLATES, template
from muster.groups.terms import Kind
from muster.kernel.clock import system_clock
from muster.kernel.digits import whole
from muster.kernel.errors import MusterError
from muster.team.errors import ScopeMissing
from muster.team.pages.permits import permitted
from muster.web.answers import REFUSED, csv_download, unknown_parameters
from muster.web.columns import shown_columns
from muster.web.hooks import can, check_scope, identify
from muster.web.sent_once import sent_once

ROWS = (25, 50, 100)
_NAMES = ("q", "kind", "app", "state", "tag", "sort", "page", "rows")


@dataclass(frozen=True)
class Refused:
    """A selection with which nothing was done: why, what was ticked (`chosen`: ids), and the tag that was typed."""

    error: MusterError
    chosen: Collection[str]
    every: bool
    tag: str


def list_page(request: HttpRequest, refused: Refused | None = None) -> HttpResponse:
    """The address says what is shown (D-11); what it says beyond that is named, not ignored (D-29)."""
    asker = identify(request)
    check_scope(asker, "groups:read")
    wanted = wanted_of(request)
    found = listing(wanted, system_clock(), may_list=can(asker, "members:read"))
    teller = Teller(found.names)
    columns = shown_columns(request, TABLE)
    may_write = can(asker, "groups:write")
    shown: dict[str, Any] = {
        "found": found,
        "wanted": wanted,
        "rows": teller.lines(found.lines, refused.chosen if refused else ()),
        "inactive": teller.rows(found.inactive),
        "groups": found.choices,
        "headings": headings(columns, _sorts(wanted)),
        "show": dict.fromkeys(columns, True),
        "apps": teller.apps,
        "templates": list(TEMPLATES.values()),
        "minimum": found.minimum_size,
        "small": _("Small"),
        "few": _("Fewer customers than may be told"),
        "empty": not found.choices and not wanted.state,
        "may_write": may_write,
        "refusal": "" if may_write else ScopeMissing("groups:write").message,
        "may_ask": can(asker, "members:read"),
        "unknown": unknown_parameters(request, *_NAMES),
        "query": address_of(wanted),
        "refused": refused,
        **_paging(wanted, found),
        **_filters(wanted),
    }
    return render(request, "groups/list.html", shown, status=REFUSED if refused else 200)


@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """The rows of all pages as CSV (D-31): what the page shows of them, in fields whose names stay."""
    asker = identify(request)
    check_scope(asker, "groups:read")
    lines = csv_lines(wanted_of(request), system_clock(), may_list=can(asker, "members:read"))
    return csv_download(lines, "groups")


@require_POST
@sent_once
def copy(request: HttpRequest) -> HttpResponse:
    """An editable segment from a template, for the app chosen beside it."""
    actor = permitted(request, "groups:write")
    chosen = template(request.POST.get("template", ""))
    made = copy_template(actor, chosen.key, request.POST["app"], chosen.title)
    return redirect("groups:group", key=made.key)


def wanted_of(request: HttpRequest) -> Wanted:
    """What the address asks for, of a form that was sent there too."""
    given = request.GET
    rows, page = (whole(given.get(name, ""), most_digits=6) or 0 for name in ("rows", "page"))
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


def address_of(wanted: Wanted) -> str:
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


def _sorts(wanted: Wanted) -> dict[str, tuple[str, str]]:
    """By column: where its header leads, and how it is sorted now (`aria-sort`, empty if it is not)."""
    columns = {}
    for name in SORTS:
        other = f"-{name}" if wanted.sort == name else name
        sorted_now = {name: "ascending", f"-{name}": "descending"}.get(wanted.sort, "")
        columns[name] = (address_of(replace(wanted, sort=other, page=1)), sorted_now)
    return columns


def _paging(wanted: Wanted, found: Listing) -> dict[str, Any]:
    """Addresses of the page before and after, where there is one, and of pages of other lengths."""
    page = found.page
    return {
        "before": address_of(replace(wanted, page=page - 1)) if page > 1 else "",
        "after": address_of(replace(wanted, page=page + 1)) if page < found.pages else "",
        "row_choices": [(rows, address_of(replace(wanted, rows=rows, page=1)), rows == wanted.rows) for rows in ROWS],
        "first": (page - 1) * wanted.rows + 1,
        "last": min(page * wanted.rows, found.total),
    }


def _filters(wanted: Wanted) -> dict[str, Any]:
    filtered = address_of(replace(wanted, sort="name", page=1, rows=ROWS[0]))
    return {
        "kinds": [(Kind.SEGMENT, _("Segment")), (Kind.KNOWN, _("Known users"))],
        "states": [(state, look.label) for state, look in STATES.items()],
        "narrowed": filtered != "?",
        "csv": address_of(replace(wanted, page=1, rows=ROWS[0])),
    }
