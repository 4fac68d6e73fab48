"""Known user groups: making one, and the page of one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from muster.groups.actions import lists
from muster.groups.forms import NewKnownForm
from muster.groups.models import Group
from muster.groups.queries.groups import group
from muster.groups.queries.imports import imports_of
from muster.groups.queries.people import export_lines
from muster.groups.terms import IMPORTING, State
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.web.answers import REFUSED, csv_download, show_error
from muster.web.sent_once import sent_once

_IMPORTS_SHOWN = 10


@require_http_methods(["GET", "POST"])
@sent_once
def new_known(request: HttpRequest) -> HttpResponse:
    """A known user group without anybody on its list yet."""
    actor = permitted(request, "groups:write")
    form = NewKnownForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = lists.create_known(actor, name=given["name"], key=given["key"] or None)
        except MusterError as error:
            show_error(form, error)
        else:
            return redirect("groups:group", key=made.key)
    return render(request, "groups/new_known.html", {"form": form}, status=REFUSED if form.errors else 200)


def known_page(request: HttpRequest, row: Group) -> HttpResponse:
    """Who is on the list in figures, and the imports that made it so. Works for everybody who may see groups."""
    asker = permitted(request, "groups:read")
    refused = refusal(asker, *IMPORTING)
    shown = {
        "group": group(row.id),
        "archived": row.state == State.ARCHIVED,
        "refusal": refused,
        "manage_refusal": refusal(asker, "groups:write"),
        "export_refusal": refusal(asker, "members:read"),
        # Names of files and what stood in them are for those who may see members.
        "imports": [] if refused else imports_of(row, _IMPORTS_SHOWN),
    }
    return render(request, "groups/known.html", shown)


@require_GET
def export(request: HttpRequest, key: str) -> HttpResponseBase:
    """Everybody on the list, as CSV that imports again without loss (G-26)."""
    permitted(request, "members:read")
    lines = export_lines(key)
    return csv_download(lines, group(key).key)
