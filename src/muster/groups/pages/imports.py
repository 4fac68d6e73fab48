"""Adding, replacing and removing members step by step: source, columns, dry run, application (D-24).

Every step is a page; what was done so far stands on the server in the import, so that a closed tab loses nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from muster.customers.actions.imports import change_import
from muster.customers.errors import ConfirmMismatch, ImportExpired
from muster.customers.pages.steps import steps_at
from muster.customers.pages.verdicts import counted
from muster.customers.queries import ImportView, verdicts
from muster.customers.terms import ImportState
from muster.groups.actions.imports import begin_members_import, known_row, read_anew
from muster.groups.errors import ValueNotAllowed
from muster.groups.models import Group
from muster.groups.pages.verdicts import looks_of, reason_of, words_of
from muster.groups.queries.groups import group, group_row
from muster.groups.queries.imports import ListImport, list_import, verdict_lines
from muster.groups.terms import IMPORTING
from muster.kernel.errors import MusterError
from muster.kernel.worded import worded
from muster.team.pages.permits import permitted
from muster.team.policies import Principal
from muster.warehouse.files.errors import ColumnUnknown
from muster.web.answers import REFUSED, csv_download

_ROWS_SHOWN = 50
_LOOK_AGAIN_SECONDS = 2
# What can only be seen before the list is touched.
_BEFORE = (
    ImportState.CHECKING,
    ImportState.CHECKED,
    ImportState.EXPIRED,
    ImportState.FAILED,
    ImportState.CANCELLED,
)


@require_http_methods(["GET", "POST"])
def source(request: HttpRequest, key: str) -> HttpResponse:
    """Step 1: a text or a file, and what is to be done with it."""
    actor = permitted(request, *IMPORTING)
    row = known_row(key)
    shown: dict[str, Any] = {"group": group(row.id), "steps": steps_at(1), "mode": "add", "ids": "email", "text": ""}
    if request.method == "POST":
        shown |= {name: request.POST.get(name, shown[name]) for name in ("mode", "ids", "text")}
        try:
            begun = _begin(request, actor, row, shown)
        except MusterError as error:
            return render(
                request,
                "groups/import_source.html",
                shown | {"error": error, "had_file": bool(request.FILES)},
                status=REFUSED,
            )
        several = len(begun.facts["columns"]) > 1
        return redirect("groups:import_columns" if several else "groups:import", key=row.key, import_id=begun.id)
    return render(request, "groups/import_source.html", shown)


def _begin(request: HttpRequest, actor: Principal, row: Group, given: dict[str, Any]) -> ImportView:
    file = request.FILES.get("file")
    fields = {"mode": given["mode"], "ids": given["ids"]}
    if (file is None) == (not given["text"].strip()):
        raise ValueNotAllowed(_("Paste a text or choose a file: one of them."), pointer="/text")
    if file is None:
        chunks = [given["text"].encode()]
        return begin_members_import(actor, row.id, chunks=chunks, file_name="text", pasted=True, **fields)
    name = file.name or "file"
    try:
        return begin_members_import(actor, row.id, chunks=file.chunks(), file_name=name, **fields)
    except ColumnUnknown as error:
        # Which column it is, the next step asks.
        columns = error.details.get("columns")
        if not columns:
            raise
        return begin_members_import(actor, row.id, chunks=file.chunks(), file_name=name, column=columns[0], **fields)


@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, key: str, import_id: str) -> HttpResponse:
    """Step 2: which column holds the entries, and what they are."""
    actor = permitted(request, *IMPORTING)
    row = known_row(key)
    one = list_import(row, import_id)
    shown = {"group": group(row.id), "one": one, "steps": steps_at(2), "column": one.column, "ids": one.ids}
    if request.method == "POST":
        shown |= {name: request.POST.get(name, "") for name in ("column", "ids")}
        try:
            begun = read_anew(actor, row.id, import_id, column=str(shown["column"]), ids=str(shown["ids"]))
        except MusterError as error:
            return render(request, "groups/import_columns.html", shown | {"error": error}, status=REFUSED)
        return redirect("groups:import", key=row.key, import_id=begun.id)
    return render(request, "groups/import_columns.html", shown)


@require_GET
def dry_run(request: HttpRequest, key: str, import_id: str) -> HttpResponse:
    """Step 3: a verdict for every row, before anything changes."""
    permitted(request, *IMPORTING)
    row = group_row(key)
    return _import_page(request, row, list_import(row, import_id))


@require_http_methods(["GET", "POST"])
def apply(request: HttpRequest, key: str, import_id: str) -> HttpResponse:
    """Step 4: puts the judged list in force, and shows what became of it."""
    actor = permitted(request, *IMPORTING)
    row = group_row(key)
    one = list_import(row, import_id)
    if request.method == "GET":
        if one.view.state in _BEFORE:
            return redirect("groups:import", key=row.key, import_id=import_id)
        return _import_page(request, row, one, applying=True)
    given: dict[str, Any] = {name: name in request.POST for name in ("leave_out", "consented")}
    given["typed"] = request.POST.get("typed", "").strip()
    try:
        _apply(actor, one, **given)
    except MusterError as error:
        return _import_page(request, row, list_import(row, import_id), error=error, given=given)
    return redirect("groups:import_apply", key=row.key, import_id=import_id)


def _apply(actor: Principal, one: ListImport, *, leave_out: bool, consented: bool, typed: str) -> None:
    """`typed`: the number of entries that leave, as the reader's language writes it (D-37)."""
    if typed and re.sub(r"\D", "", typed) != str(one.leaving):
        raise ConfirmMismatch(worded("It is {count} now; type that.", count=one.leaving), pointer="/typed")
    invalid = one.view.counts.get("invalid", 0)
    change_import(
        actor, one.view.id, "apply", max_invalid=invalid if leave_out else 0, confirm=bool(typed), consented=consented
    )


@require_POST
def move(request: HttpRequest, key: str, import_id: str, verb: str) -> HttpResponse:
    """Cancels an import, or undoes one that was applied; what may not be undone any more is said before it begins."""
    actor = permitted(request, *IMPORTING)
    row = group_row(key)
    one = list_import(row, import_id)
    try:
        if verb == "undo" and one.undo_error is not None:
            raise one.undo_error
        change_import(actor, import_id, verb)
    except MusterError as error:
        return _import_page(request, row, list_import(row, import_id), error=error, applying=True)
    return redirect("groups:import_apply", key=row.key, import_id=import_id)


@require_GET
def rows_csv(request: HttpRequest, key: str, import_id: str) -> HttpResponseBase:
    """The rows of one verdict, or all."""
    permitted(request, *IMPORTING)
    row = group_row(key)
    lines = verdict_lines(row, import_id, request.GET.get("verdict") or None)
    return csv_download(lines, f"{row.key}-{import_id}")


@dataclass(frozen=True)
class Row:
    number: int
    entry: str
    verdict: str
    reason: str | Promise


def _import_page(
    request: HttpRequest,
    row: Group,
    one: ListImport,
    *,
    error: MusterError | None = None,
    given: dict[str, Any] | None = None,
    applying: bool = False,
) -> HttpResponse:
    """The verdicts beside what may be done now; looks again by itself while something moves (D-8)."""
    several = len(one.columns) > 1
    choosable = one.view.state in _BEFORE and not applying
    address = reverse("groups:import_columns", args=[row.key, one.view.id])
    shown = {
        "group": group(row.id),
        "one": one,
        "view": one.view,
        "job": one.job,
        "error": error,
        "given": given or {},
        "steps": steps_at(4 if applying else 3, columns=several, columns_address=address if choosable else ""),
        **_rows(request, one),
    }
    response = render(request, "groups/import.html", shown, status=REFUSED if error else 200)
    if one.is_moving and error is None:
        response.headers["Refresh"] = str(_LOOK_AGAIN_SECONDS)
    return response


def _rows(request: HttpRequest, one: ListImport) -> dict[str, Any]:
    """The rows of the chosen verdict; without a choice the invalid ones, if there are any."""
    if one.view.checked_at is None:
        return {}
    counts = one.view.counts
    chosen = request.GET.get("verdict", "invalid" if counts.get("invalid") else "")
    if chosen not in counts:
        chosen = ""
    shown = {
        "counted": counted(looks_of(one.mode), counts, chosen),
        "chosen": chosen,
        "chosen_count": counts[chosen] if chosen else one.view.rows,
        "chosen_word": words_of(chosen, counts[chosen]) if chosen else "",
    }
    try:
        found, following = verdicts(
            one.view.id, verdict=chosen or None, cursor=request.GET.get("cursor"), limit=_ROWS_SHOWN
        )
    except ImportExpired as error:
        return shown | {"gone": error}
    rows = [Row(judged.row, judged.value or "", words_of(judged.verdict), reason_of(judged.reason)) for judged in found]
    return shown | {
        "rows": rows,
        "next_cursor": following,
    }
