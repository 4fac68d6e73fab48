"""What is handed to a person of their data: a ZIP of JSON and NDJSON with a readable page in each language (C-44)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override
from pyroaring import BitMap

from muster.audit.actions import record
from muster.catalog.queries import publisher
from muster.customers.errors import ExportExpired, ExportNotReady
from muster.customers.hooks import current_warehouse, personal_data
from muster.customers.models import Export
from muster.customers.privacy.actions.places import export_file
from muster.customers.privacy.queries import ExportView, export_row, export_view, kept
from muster.customers.queries import customer
from muster.customers.schemas import customer_json
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id, new_id
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.web.actions import start_job
from muster.web.formats import formats_for

JOB = "customers.export"
# Long ones are one object a line, so that they can be read without being loaded whole.
_LINES = frozenset({"events", "orders"})
_MOST_SHOWN = 1_000

Rows = list[dict[str, Any]]


def request_export(actor: Principal, reference: str) -> ExportView:
    """Starts to put it together; the link ends after seven days unless the settings say otherwise."""
    key = customer(reference).customer_key
    now = system_clock()
    with transaction.atomic():
        row = Export.objects.create(
            id=new_id("exp"),
            customer_key=key,
            requested_at=now,
            requested_by=actor.label,
            expires_at=now + timedelta(days=kept().exports_days),
        )
        record(actor, "customer.export", "customer", customer_id(key), {"export": row.id})
        row.job_id = start_job(JOB, {"export": row.id}, subject=("export", row.id)).id
        row.save(update_fields=["job_id"])
    return export_view(row)


def make_export(identifier: str) -> ExportView:
    """Writes the file, whole or not at all. Again, the same."""
    row = export_row(identifier)
    if row.deleted_at is not None or row.expires_at <= system_clock():
        return export_view(row)
    files = _collected(row.customer_key)
    path = export_file(row.id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in files.items():
            archive.writestr(*_file(name, rows))
        for language, _name in settings.LANGUAGES:
            archive.writestr(f"readable.{language}.html", _page(language, row, files))
    unfinished.replace(path)
    row.ready_at, row.bytes = system_clock(), path.stat().st_size
    row.save(update_fields=["ready_at", "bytes"])
    return export_view(row)


def download(actor: Principal, identifier: str) -> Path:
    """The file; `export_not_ready`, or `export_expired` once its link has ended."""
    row = export_row(identifier)
    state = export_view(row).state
    if state == "waiting":
        raise ExportNotReady(worded("Export {id} is still being put together.", id=row.id))
    if state == "expired":
        raise ExportExpired(
            worded("The link of export {id} has ended, and its file is deleted. Ask for a new one.", id=row.id)
        )
    record(actor, "export.downloaded", "export", row.id, {"customer": customer_id(row.customer_key)})
    return export_file(row.id)


def _collected(key: int) -> dict[str, Rows]:
    """Rows by file: of the customer as it stands, then of every place."""
    subject = current_warehouse().subject_of(BitMap([key]))
    person = current_warehouse().person(key)
    found: dict[str, Rows] = {}
    if person is not None:
        found["customer"] = [customer_json(person, personal=True, currency=publisher().currency)]
    for place in personal_data.values():
        for name, rows in place.export(subject).items():
            found.setdefault(name, []).extend(rows)
    return found


def _file(name: str, rows: Rows) -> tuple[str, str]:
    if name in _LINES:
        return f"{name}.ndjson", "".join(_json(row) + "\n" for row in rows)
    return f"{name}.json", _json(rows[0] if name == "customer" else rows, indent=2)


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def _page(language: str, row: Export, files: Mapping[str, Rows]) -> str:
    with override(language):
        titles = _titles()
        sections = [
            {
                "title": titles.get(name, name),
                "file": _file(name, [{}])[0],
                "count": len(rows),
                "columns": _columns(rows),
                "rows": [[_cell(one.get(column)) for column in _columns(rows)] for one in rows[:_MOST_SHOWN]],
                "left_out": max(len(rows) - _MOST_SHOWN, 0),
            }
            for name, rows in files.items()
        ]
        here = publisher()
        context = {
            "language": language,
            "publisher": here.name,
            "customer": customer_id(row.customer_key),
            "made_at": formats_for(language, here.time_zone, here.currency).instant(system_clock()),
            "sections": sections,
        }
        return render_to_string("customers/export.html", context)


def _columns(rows: Rows) -> list[str]:
    """Every key any of the rows has, in the order they come."""
    return list({name: None for one in rows for name in one})


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _json(value)


def _titles() -> dict[str, str]:
    return {
        "customer": _("Who you are today"),
        "identities": _("Ids you are known by"),
        "merges": _("Ids that became yours"),
        "attributes": _("What was said of you"),
        "emails": _("E-mail addresses"),
        "consents": _("What you allowed and refused"),
        "seen": _("When you were seen"),
        "devices": _("Devices"),
        "orders": _("Orders"),
        "events": _("Events"),
        "churn": _("Forecasts about you"),
        "refused": _("What could not be taken in"),
        "imports": _("Files you were named in"),
        "suppressions": _("Messages you do not get"),
        "memberships": _("Groups you are in"),
        "membership_history": _("Groups you joined and left"),
        "list_entries": _("Lists you are on"),
    }
