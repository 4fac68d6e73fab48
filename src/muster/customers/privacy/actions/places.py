"""The places of this room that hold something of people: warehouse, uploads, exports, suppressions, kept answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from muster.catalog.queries import warehouse_catalog
from muster.customers.actions.drain import drained_cursors
from muster.customers.hooks import PersonalData, current_ledger, spool_emptiers
from muster.customers.incoming.queries import refused_of
from muster.customers.models import Export, Import, Suppression
from muster.customers.queries import import_directory, warehouse
from muster.customers.terms import ImportState
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id
from muster.kernel.worded import worded
from muster.spool.reading import SpoolReader
from muster.warehouse.files.mapping import read_source
from muster.warehouse.files.reading import Source
from muster.warehouse.lists.naming import upload_names
from muster.warehouse.subject import Subject
from muster.web.actions import count_answers, forget_answers

Rows = dict[str, list[dict[str, Any]]]


def _nothing(_: Subject) -> Rows:
    return {}


def _export_rows(subject: Subject) -> Rows:
    found = warehouse().raw_rows(subject.keys)
    for merge in found["merges"]:
        merge["loser"], merge["survivor"] = customer_id(merge["loser"]), customer_id(merge["survivor"])
    return found | {"refused": refused_of(subject)}


def _erase_rows(subject: Subject) -> dict[str, int]:
    removed, _ = warehouse().erase_customers(subject, warehouse_catalog())
    return removed


def _count_rows(subject: Subject) -> dict[str, int]:
    return warehouse().count_customers(subject)


# What apps sent, on its way into the warehouse


def _empty_spool(_: Subject) -> dict[str, int]:
    """What waits is taken, and refused if it is from before the erasure (C-47); what was taken is let go of."""
    for empty in spool_emptiers:
        empty()
    return {}


def _export_spool(subject: Subject) -> Rows:
    """It is told with the rest of the warehouse."""
    _empty_spool(subject)
    return {}


def _count_spooled(subject: Subject) -> dict[str, int]:
    """Requests that were taken and still lie there. What came since is judged when it is taken."""
    texts = [json.dumps(text, ensure_ascii=False)[1:-1].lower() for text in subject.texts()]
    reader = SpoolReader(settings.MUSTER.spool_directory)
    try:
        bodies = reader.drained_bodies(drained_cursors())
        found = sum(any(text in body for text in texts) for body in map(_spelled, bodies))
    finally:
        reader.close()
    return {"requests": found} if found else {}


def _spelled(body: bytes) -> str:
    return body.decode("utf-8", "replace").lower()


# Uploads


def _export_imports(subject: Subject) -> Rows:
    rows = Import.objects.filter(number__in=subject.sources).order_by("number")
    return {
        "imports": [
            {"import": row.number, "id": row.id, "kind": row.kind, "file": row.file_name, "at": _plain(row.created_at)}
            for row in rows
        ]
    }


def _naming(subject: Subject) -> list[Import]:
    """Imports whose upload still lies there and names them."""
    root: Path = settings.MUSTER.import_directory
    lying = {path.name for path in root.iterdir()} if root.exists() else set()
    return [
        row
        for row in Import.objects.filter(id__in=lying)
        if upload_names(import_directory(row.id), _source_of(row), subject, judged=row.checked_at is not None)
    ]


def _source_of(row: Import) -> Source:
    return read_source(row.mapping.get("source") if isinstance(row.mapping, dict) else None)


def _sampling(subject: Subject) -> list[Import]:
    """Imports that show a few cells of their file, theirs among them."""
    texts = [json.dumps(text, ensure_ascii=True)[1:-1].lower() for text in subject.texts()]
    return [
        row
        for row in Import.objects.exclude(facts={})
        if any(text in json.dumps(row.facts, ensure_ascii=True).lower() for text in texts)
    ]


def _erase_imports(subject: Subject) -> dict[str, int]:
    """The whole upload goes with its dry run: an undo would need it whole (ADR 0016)."""
    named = _naming(subject)
    for row in named:
        with transaction.atomic():
            if row.state in (ImportState.UPLOADED, ImportState.CHECKING, ImportState.CHECKED):
                row.state = ImportState.EXPIRED
                row.reason = worded("Its file was deleted: it named somebody who was erased.")
                row.save(update_fields=["state", "reason"])
        shutil.rmtree(import_directory(row.id))
    sampled = _sampling(subject)
    for row in sampled:
        forget_samples(row)
    return {name: count for name, count in (("uploads", len(named)), ("samples", len(sampled))) if count}


def forget_samples(row: Import) -> None:
    """Leaves the names of the columns."""
    columns = row.facts.get("columns", [])
    row.facts["columns"] = [{**column, "samples": []} for column in columns]
    row.save(update_fields=["facts"])


def _count_imports(subject: Subject) -> dict[str, int]:
    found = {"uploads": len(_naming(subject)), "samples": len(_sampling(subject))}
    return {name: count for name, count in found.items() if count}


# Exports


def export_file(identifier: str) -> Path:
    """Where the ZIP of an export lies."""
    directory: Path = settings.MUSTER.export_directory
    return directory / f"{identifier}.zip"


def _exports_of(subject: Subject) -> list[Export]:
    rows = Export.objects.filter(customer_key__in=list(subject.keys), deleted_at=None)
    return [row for row in rows if export_file(row.id).exists()]


def delete_export(row: Export) -> None:
    """The file; that there was one stays."""
    export_file(row.id).unlink(missing_ok=True)
    Export.objects.filter(id=row.id).update(deleted_at=system_clock())


def _erase_exports(subject: Subject) -> dict[str, int]:
    found = _exports_of(subject)
    for row in found:
        delete_export(row)
    return {"files": len(found)} if found else {}


def _count_exports(subject: Subject) -> dict[str, int]:
    found = _exports_of(subject)
    return {"files": len(found)} if found else {}


# Suppressions


def _suppressions_of(subject: Subject) -> list[Suppression]:
    ledger = current_ledger()
    marks = [ledger.mark(name) for name in subject.names()]
    rows: list[Suppression] = []
    for start in range(0, len(marks), 500):
        rows += Suppression.objects.filter(mark__in=marks[start : start + 500])
    return rows


def _export_suppressions(subject: Subject) -> Rows:
    rows = _suppressions_of(subject)
    return {
        "suppressions": [
            {"kind": row.kind, "identity": row.identity, "reason": row.reason, "since": _plain(row.since)}
            for row in rows
        ]
    }


def _erase_suppressions(subject: Subject) -> dict[str, int]:
    """They stay in force and name nobody any more."""
    named = [row.id for row in _suppressions_of(subject) if row.identity is not None]
    Suppression.objects.filter(id__in=named).update(identity=None)
    return {"suppressions": len(named)} if named else {}


def _count_suppressions(subject: Subject) -> dict[str, int]:
    named = sum(row.identity is not None for row in _suppressions_of(subject))
    return {"suppressions": named} if named else {}


# Answers that are kept for a day in case they are asked for again


def _erase_answers(subject: Subject) -> dict[str, int]:
    gone = forget_answers(subject.texts())
    return {"answers": gone} if gone else {}


def _count_answers(subject: Subject) -> dict[str, int]:
    found = count_answers(subject.texts())
    return {"answers": found} if found else {}


def _plain(instant: Any) -> str:
    return str(instant.isoformat()).replace("+00:00", "Z")


PLACES = (
    PersonalData("spool", _export_spool, _empty_spool, _count_spooled),
    PersonalData("warehouse", _export_rows, _erase_rows, _count_rows),
    PersonalData("imports", _export_imports, _erase_imports, _count_imports),
    PersonalData("exports", _nothing, _erase_exports, _count_exports),
    PersonalData("suppressions", _export_suppressions, _erase_suppressions, _count_suppressions),
    PersonalData("answers", _nothing, _erase_answers, _count_answers),
)
