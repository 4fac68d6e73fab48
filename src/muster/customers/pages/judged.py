"""An import after its columns are said: the dry run, its application, and undoing it (C-36, C-37)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.views.decorators.http import require_GET, require_POST

from muster.customers.actions.imports import change_import
from muster.customers.errors import ImportExpired
from muster.customers.models import Import
from muster.customers.pages.columns import KIND_LABELS
from muster.customers.pages.steps import IMPORTING, own_row, steps_at
from muster.customers.pages.verdicts import LOOKS, counted, reason_of, words_of
from muster.customers.queries import (
    ImportView,
    import_view,
    job_of,
    undo_refusal,
    verdicts,
)
from muster.customers.terms import TRANSITIONS, ImportState
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.web.answers import REFUSED

_ROWS_SHOWN = 50
_LOOK_AGAIN_SECONDS = 2
_MOVING = (ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING)


@require_GET
def show_import(request: HttpRequest, import_id: str) -> HttpResponse:
    """Steps 3 and 4: a verdict for every row, then how far its application is."""
    asker = permitted(request, "customers:read")
    row = own_row(import_id)
    # Who may not see what is in the file is told so by the page of the import.
    if row.state == ImportState.UPLOADED and not refusal(asker, *IMPORTING):
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
    refused = refusal(asker, *IMPORTING)
    choosable = TRANSITIONS["cancel"].get(state) is ImportState.CANCELLED
    place = 2 if state is ImportState.UPLOADED else 3 if choosable else 4
    address = reverse("customers:import_columns", args=[row.id])
    shown = {
        "view": view,
        "job": job,
        "error": error,
        "leave_out": leave_out,
        "kind_label": KIND_LABELS[row.kind],
        "refusal": refused,
        "undo_refusal": undo_refusal(row) if state is ImportState.DONE else "",
        "columns_address": address if choosable and not refused else "",
        "steps": steps_at(place, columns_address=address if choosable and not refused else ""),
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
    shown: dict[str, Any] = {"counted": counted(LOOKS, counts, chosen), "chosen": chosen}
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
