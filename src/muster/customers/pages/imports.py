"""Importing step by step: source, columns, dry run, application (C-35 to C-37, D-24).

Every step is a page; what was done so far stands on the server in the import, so that a closed tab loses nothing.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from muster.customers.actions.uploads import judge_upload, keep_upload, read_upload_anew
from muster.customers.errors import CustomerError, ImportExpired
from muster.customers.models import Import
from muster.customers.pages.columns import ENCODINGS, KIND_LABELS, document_from, document_from_yaml, shown_columns
from muster.customers.pages.steps import IMPORTING, app_choices, checked_app, own_row, steps_at
from muster.customers.queries import (
    ImportView,
    check_file,
    import_view,
    imports,
)
from muster.customers.terms import TRANSITIONS, ImportState
from muster.kernel.errors import MusterError
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.warehouse.files.errors import FileError
from muster.warehouse.files.guess import Head, head_of
from muster.warehouse.files.mapping import KINDS, read_source
from muster.warehouse.files.reading import open_rows
from muster.web.answers import REFUSED, unknown_parameters

_A_PAGE = 25


@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """Newest first, older ones by cursor."""
    asker = permitted(request, "customers:read")
    cursor = request.GET.get("cursor", "")
    before = decode_cursor(cursor) if cursor else None
    if cursor and not (isinstance(before, int) and abs(before) < 2**63):
        raise cursor_invalid()
    found = imports(before, _A_PAGE + 1, KINDS)
    rows = [(one, KIND_LABELS[one.kind]) for one in found[:_A_PAGE]]
    older = "?" + urlencode({"cursor": encode_cursor(found[_A_PAGE - 1].number)}) if len(found) > _A_PAGE else ""
    shown = {
        "rows": rows,
        "older": older,
        "is_first": not cursor,
        "refusal": refusal(asker, *IMPORTING),
        "unknown": unknown_parameters(request, "cursor"),
    }
    return render(request, "customers/imports.html", shown)


@require_http_methods(["GET", "POST"])
def source(request: HttpRequest) -> HttpResponse:
    """Step 1: a file, and what its rows are."""
    actor = permitted(request, *IMPORTING)
    shown: dict[str, Any] = {
        "steps": steps_at(1),
        "kinds": list(KIND_LABELS.items()),
        "apps": app_choices(),
        "kind": request.GET.get("kind", "customers"),
        "app": "",
        "encodings": ENCODINGS,
        "encoding": "auto",
    }
    if request.method == "POST":
        shown |= {name: request.POST.get(name, shown[name]) for name in ("kind", "app", "encoding")}
        try:
            kept = _keep(request, actor, shown)
        except MusterError as error:
            shown |= {"error": error, "had_file": bool(request.FILES)}
            return render(request, "customers/import_source.html", shown, status=REFUSED)
        return redirect("customers:import_columns", import_id=kept.id)
    return render(request, "customers/import_source.html", shown)


def _keep(request: HttpRequest, actor: Principal, given: dict[str, Any]) -> ImportView:
    file = request.FILES.get("file")
    if file is None:
        raise CustomerError(_("Choose a file."), code="value_not_allowed", pointer="/file")
    app = checked_app(given["kind"], given["app"])
    source = {} if given["encoding"] == "auto" else {"encoding": given["encoding"]}
    try:
        return keep_upload(
            actor, file_name=file.name or "file", chunks=file.chunks(), kind=given["kind"], app=app, source=source
        )
    except FileError as error:
        error.pointer = error.pointer or "/file"
        raise


@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, import_id: str) -> HttpResponse:
    """Step 2: what each column is. `do` says whether the file is to be read in another way, or judged."""
    actor = permitted(request, *IMPORTING)
    row = own_row(import_id)
    document: dict[str, Any] = row.mapping
    error: MusterError | None = None
    if request.method == "POST":
        try:
            if request.POST.get("do") == "read":
                return _read_anew(request, actor, row)
            as_yaml = request.POST.get("do") == "yaml"
            document = (
                document_from_yaml(request.POST.get("yaml", ""), row)
                if as_yaml
                else document_from(request.POST, row, _head(row))
            )
            begun = judge_upload(actor, row.id, document)
        except MusterError as raised:
            error = raised
        else:
            return redirect("customers:import", import_id=begun.id)
    return _columns_page(request, row, document, error)


def _read_anew(request: HttpRequest, actor: Principal, row: Import) -> HttpResponse:
    kind = request.POST.get("kind", "")
    chosen = {name: request.POST.get(name, "auto") for name in ("encoding", "delimiter")}
    app = checked_app(kind, request.POST.get("app", ""))
    read = read_upload_anew(actor, row.id, kind, app, {name: one for name, one in chosen.items() if one != "auto"})
    return redirect("customers:import_columns", import_id=read.id)


def _columns_page(
    request: HttpRequest, row: Import, document: dict[str, Any], error: MusterError | None
) -> HttpResponse:
    shown: dict[str, Any] = {
        "view": import_view(row),
        "steps": steps_at(2),
        "apps": app_choices(),
        "kinds": list(KIND_LABELS.items()),
        "error": error,
        "settled": row.state not in (ImportState.UPLOADED, ImportState.CANCELLED)
        and TRANSITIONS["cancel"].get(ImportState(import_view(row).state)) is not ImportState.CANCELLED,
    }
    try:
        head = _head(row)
    except MusterError as unreadable:
        # Read in a way that fits nothing: the page stays, so that another way can be chosen.
        shown |= {"error": error or unreadable, "gone": isinstance(unreadable, ImportExpired)}
        head = Head((), {})
    mapping = document if isinstance(document, dict) else row.mapping
    shown |= shown_columns(mapping, head, error)
    if request.method == "POST" and "yaml" in request.POST and request.POST.get("do") == "yaml":
        shown |= {"yaml": request.POST["yaml"], "yaml_open": True}
    return render(request, "customers/import_columns.html", shown, status=REFUSED if error else 200)


def _head(row: Import) -> Head:
    return head_of(open_rows(check_file(row), read_source(row.mapping.get("source"))))
