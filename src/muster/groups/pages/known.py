"""Known user groups: making one, and the page of one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from muster.groups.actions import lists
from muster.groups.forms import NewKnownForm
from muster.groups.models import Group
from muster.groups.pages.permits import IMPORTING, permitted, refusal
from muster.groups.queries.groups import group
from muster.groups.queries.imports import imports_of
from muster.groups.queries.people import export_lines
from muster.groups.terms import State
from muster.kernel.errors import MusterError

_IMPORTS_SHOWN = 10
# Forms are refused with the status a program would get (D-39).
REFUSED = 422


@require_http_methods(["GET", "POST"])
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


def show_error(form: NewKnownForm, error: MusterError) -> None:
    """At the field it points to, with its stable code (D-41)."""
    field = error.pointer.removeprefix("/")
    form.add_error(field if field in form.fields else None, f"{error.message} ({error.code})")


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
    headers = {"Content-Disposition": f'attachment; filename="{group(key).key}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
