"""Verdicts of an import as CSV: personal data, so that who took it is noted (D-31)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from muster.customers.actions.imports import note_download
from muster.customers.pages.steps import IMPORTING, own_row
from muster.customers.queries import check_file, verdicts
from muster.team.pages.permits import permitted
from muster.warehouse.lists.entries import exported
from muster.web.answers import csv_download

_LINES_A_CHUNK = 1_000


@require_GET
def rows_csv(request: HttpRequest, import_id: str) -> HttpResponseBase:
    """The rows of one verdict, or all."""
    actor = permitted(request, *IMPORTING)
    row = own_row(import_id)
    check_file(row)
    verdict = request.GET.get("verdict") or None
    note_download(actor, row, verdict)
    return csv_download(_lines(row.id, verdict), row.id)


def _lines(import_id: str, verdict: str | None) -> Iterator[str]:
    """No cell is a formula; the mark by which spreadsheets know UTF-8 comes first."""
    yield "\ufeffrow,verdict,column,reason,value\r\n"
    cursor: str | None = None
    while True:
        found, cursor = verdicts(import_id, verdict=verdict, cursor=cursor, limit=_LINES_A_CHUNK)
        text = io.StringIO(newline="")
        csv.writer(text).writerows(
            [one.row, one.verdict, exported(one.column or ""), one.reason or "", exported(one.value or "")]
            for one in found
        )
        yield text.getvalue()
        if cursor is None:
            return
