"""Importing step by step: source, columns, dry run, application (C-35 to C-37, D-24).

Every step is a page; what was done so far stands on the server in the import, so that a closed tab loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from muster.catalog.pages.permits import REFUSED, permitted, refusal, unknown_parameters
from muster.catalog.pages.words import reader_language
from muster.catalog.queries import apps
from muster.customers.actions import change_import, judge_upload, keep_upload, read_upload_anew
from muster.customers.errors import CustomerError, ImportExpired, ImportUnknown
from muster.customers.models import Import
from muster.customers.pages.columns import ENCODINGS, KIND_LABELS, document_from, document_from_yaml, shown_columns
from muster.customers.pages.verdicts import counted, reason_of, words_of
from muster.customers.queries import (
    ImportView,
    check_file,
    import_row,
    import_view,
    imports,
    job_of,
    undo_refusal,
    verdicts,
)
from muster.customers.terms import TRANSITIONS, ImportState
from muster.kernel.errors import MusterError
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.team.policies import Principal
from muster.warehouse.files.choices import NEEDS_APP
from muster.warehouse.files.errors import FileError
from muster.warehouse.files.guess import Head, head_of
from muster.warehouse.files.mapping import KINDS, read_source
from muster.warehouse.files.reading import open_rows

# What a file holds is personal: who may not see it does not import.
IMPORTING = ("customers:write", "customers:personal")
_A_PAGE, _ROWS_SHOWN = 25, 50
_LOOK_AGAIN_SECONDS = 2
_MOVING = (ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING)


@dataclass(frozen=True)
class Step:
    label: str
    done: bool = False
    current: bool = False
    address: str = ""


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
        "steps": _steps(1),
        "kinds": list(KIND_LABELS.items()),
        "apps": _app_choices(),
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
    app = _checked_app(given["kind"], given["app"])
    source = {} if given["encoding"] == "auto" else {"encoding": given["encoding"]}
    try:
        return keep_upload(
            actor, file_name=file.name or "file", chunks=file.chunks(), kind=given["kind"], app=app, source=source
        )
    except FileError as error:
        error.pointer = error.pointer or "/file"
        raise


def _checked_app(kind: str, app: str) -> str:
    """Orders and events belong to an app."""
    if app and app not in {key for key, _label in _app_choices()}:
        raise CustomerError(_("There is no such app."), code="value_not_allowed", pointer="/app")
    if kind in NEEDS_APP and not app:
        raise CustomerError(_("Say which app the rows belong to."), code="value_not_allowed", pointer="/app")
    return app


def _app_choices() -> list[tuple[str, str]]:
    return [(one.key, one.label(reader_language())) for one in apps()]


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
    app = _checked_app(kind, request.POST.get("app", ""))
    read = read_upload_anew(actor, row.id, kind, app, {name: one for name, one in chosen.items() if one != "auto"})
    return redirect("customers:import_columns", import_id=read.id)


def _columns_page(
    request: HttpRequest, row: Import, document: dict[str, Any], error: MusterError | None
) -> HttpResponse:
    shown: dict[str, Any] = {
        "view": import_view(row),
        "steps": _steps(2),
        "apps": _app_choices(),
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


def own_row(import_id: str) -> Import:
    """An import of this room; those of other rooms have pages of their own."""
    row = import_row(import_id)
    if row.kind not in KINDS:
        raise ImportUnknown(f"There is no import `{import_id}` here.")
    return row


@require_GET
def show_import(request: HttpRequest, import_id: str) -> HttpResponse:
    """Steps 3 and 4: a verdict for every row, then how far its application is."""
    asker = permitted(request, "customers:read")
    row = own_row(import_id)
    if row.state == ImportState.UPLOADED:
        return redirect("customers:import_columns", import_id=row.id)
    return _import_page(request, asker, row)


@require_POST
def apply(request: HttpRequest, import_id: str) -> HttpResponse:
    """Takes in what the dry run judged; `digest` says which file was seen."""
    actor = permitted(request, *IMPORTING)
    row = own_row(import_id)
    leave_out = "leave_out" in request.POST
    try:
        change_import(
            actor,
            row.id,
            "apply",
            max_invalid=row.counts.get("invalid", 0) if leave_out else 0,
            digest=request.POST.get("digest") or None,
        )
    except MusterError as error:
        return _import_page(request, actor, own_row(import_id), error=error, leave_out=leave_out)
    return redirect("customers:import", import_id=row.id)


@require_POST
def move(request: HttpRequest, import_id: str, verb: str) -> HttpResponse:
    """Pause, cancel or undo."""
    actor = permitted(request, *IMPORTING)
    row = own_row(import_id)
    try:
        change_import(actor, row.id, verb)
    except MusterError as error:
        return _import_page(request, actor, own_row(import_id), error=error)
    return redirect("customers:import", import_id=row.id)


@dataclass(frozen=True)
class Row:
    number: int
    verdict: str
    column: str
    value: str
    reason: str | Promise


def _import_page(
    request: HttpRequest,
    asker: Principal,
    row: Import,
    *,
    error: MusterError | None = None,
    leave_out: bool = False,
) -> HttpResponse:
    """The verdicts beside what may be done now; looks again by itself while something moves (D-8)."""
    view, job = import_view(row), job_of(row)
    state = ImportState(view.state)
    choosable = TRANSITIONS["cancel"].get(state) is ImportState.CANCELLED
    address = reverse("customers:import_columns", args=[row.id])
    shown = {
        "view": view,
        "job": job,
        "error": error,
        "leave_out": leave_out,
        "kind_label": KIND_LABELS[row.kind],
        "refusal": refusal(asker, *IMPORTING),
        "undo_refusal": undo_refusal(row) if state is ImportState.DONE else "",
        "columns_address": address if choosable else "",
        "steps": _steps(3 if choosable else 4, columns_address=address if choosable else ""),
        "taken": sum(view.counts.get(one, 0) for one in ("new", "updated")),
        "warnings": sorted(view.warnings.items()),
        **_rows(request, asker, view),
    }
    response = render(request, "customers/import.html", shown, status=REFUSED if error else 200)
    if state in _MOVING and job is not None and not job.is_over and error is None:
        response.headers["Refresh"] = str(_LOOK_AGAIN_SECONDS)
    return response


def _rows(request: HttpRequest, asker: Principal, view: ImportView) -> dict[str, Any]:
    """The rows of the chosen verdict; without a choice the invalid ones, if there are any."""
    if view.checked_at is None:
        return {}
    counts = view.counts
    chosen = request.GET.get("verdict", "invalid" if counts.get("invalid") else "")
    if chosen not in counts:
        chosen = ""
    shown: dict[str, Any] = {"counted": counted(counts, chosen), "chosen": chosen}
    if refusal(asker, *IMPORTING):
        return shown
    try:
        found, following = verdicts(
            view.id, verdict=chosen or None, cursor=request.GET.get("cursor"), limit=_ROWS_SHOWN
        )
    except ImportExpired as gone:
        return shown | {"gone": gone}
    rows = [
        Row(one.row, words_of(one.verdict), one.column or "", one.value or "", reason_of(one.reason)) for one in found
    ]
    return shown | {
        "rows": rows,
        "next_cursor": following,
        "chosen_word": words_of(chosen, counts[chosen]) if chosen else "",
        "chosen_count": counts[chosen] if chosen else view.rows,
    }


def _steps(current: int, *, columns_address: str = "") -> list[Step]:
    """Source, Columns, Dry run, Apply; `current` counts from 1."""
    labels = [_("Source"), _("Columns"), _("Dry run"), _("Apply")]
    return [
        Step(label, place < current, place == current, columns_address if place == 2 else "")
        for place, label in enumerate(labels, start=1)
    ]
