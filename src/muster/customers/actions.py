"""Everything that changes what is known of customers; in this issue: imports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db import transaction

from muster.audit.actions import record
from muster.catalog.actions import declare_attribute, declare_event
from muster.catalog.queries import warehouse_catalog
from muster.customers.errors import ImportExpired, ImportHasInvalid, ImportStateWrong, ImportTooLarge
from muster.customers.models import Import
from muster.customers.queries import ImportView, import_directory, import_row, import_view
from muster.customers.terms import EXPIRES_AFTER_HOURS, TRANSITIONS, ImportState
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.kernel.text import key_of
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Type
from muster.team.policies import LOCAL, Principal
from muster.warehouse.catalog import Catalog
from muster.warehouse.files.dates import check_dates
from muster.warehouse.files.errors import FileUnreadable, MappingInvalid
from muster.warehouse.files.mapping import ImportMapping, read_mapping, read_source
from muster.warehouse.files.reading import file_digest, open_rows
from muster.warehouse.normal.traits import STANDARD_TRAITS
from muster.web.actions import start_job

# Traits that identity, contact and consent are made of, not custom attributes.
_NOT_CUSTOM = frozenset(STANDARD_TRAITS) | frozenset(STANDARD_ATTRIBUTES) | {"email"}


def begin_import(
    actor: Principal, *, file_name: str, chunks: Iterable[bytes], mapping: bytes, kind: str = ""
) -> ImportView:
    """Keeps the file, checks the mapping against its columns, and starts the dry run (C-36)."""
    document = _parsed(mapping, kind)
    identifier = new_id("imp")
    directory = import_directory(identifier)
    directory.mkdir(parents=True)
    path = directory / "file"
    try:
        _keep(path, chunks)
        checked = _checked_mapping(document, path)
    except BaseException:
        shutil.rmtree(directory)
        raise
    with transaction.atomic():
        row = Import.objects.create(
            id=identifier,
            kind=checked.kind,
            file_name=Path(file_name).name[:255],
            digest=file_digest(path),
            mapping=document,
            created_by=actor.label,
            created_at=system_clock(),
        )
        row.job_id = start_job("customers.check", {"import": identifier}, subject=("import", identifier)).id
        row.save(update_fields=["job_id"])
        record(actor, "import.begun", "import", identifier, {"kind": checked.kind, "file": row.file_name})
    return import_view(row)


def _keep(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes the file; `import_too_large` before the disk is full of what nobody wants."""
    most = settings.MUSTER.import_megabytes
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            if file.tell() > most * 1_000_000:
                raise ImportTooLarge(
                    f"The file is larger than {most:,} MB. Send it in parts, or set MUSTER_IMPORT_MEGABYTES."
                )


def _parsed(text: bytes, kind: str) -> Any:
    """The YAML document; `kind` says what it leaves out, and must not say otherwise."""
    try:
        # Days, instants and keys of other kinds become what they would be in JSON, which is how the mapping is kept.
        document = json.loads(json.dumps(yaml.safe_load(text), default=str))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise MappingInvalid(f"The mapping is not YAML: {error}") from error
    if not isinstance(document, dict) or not kind:
        return document
    if document.setdefault("kind", kind) != kind:
        raise MappingInvalid(f"The mapping is for {document['kind']}, not for {kind}.", pointer="/kind")
    return document


def _checked_mapping(document: Any, path: Path) -> ImportMapping:
    rows = open_rows(path, _source_of(document))
    if not rows.columns:
        raise FileUnreadable("The file is empty: it has not even a header.")
    mapping = read_mapping(document, rows.columns)
    check_dates(mapping, rows)
    if mapping.app is not None and mapping.app not in warehouse_catalog().apps:
        raise MappingInvalid(f"There is no app `{mapping.app}`. Create it first.", pointer="/app")
    return mapping


def _source_of(document: Any) -> Any:
    """How to read the file, before its columns are known: the mapping's own `source`, wrong fields aside."""
    return read_source(document.get("source") if isinstance(document, dict) else None)


def mapping_of(row: Import) -> tuple[ImportMapping, Any]:
    """The mapping of an import and its file's rows."""
    rows = open_rows(import_directory(row.id) / "file", _source_of(row.mapping))
    return read_mapping(row.mapping, rows.columns), rows


def change_import(actor: Principal, identifier: str, verb: str, *, max_invalid: int = 0) -> ImportView:
    """apply, pause or cancel."""
    with transaction.atomic():
        row = import_row(identifier)
        target = TRANSITIONS[verb].get(ImportState(row.state))
        if target is None:
            raise ImportStateWrong(
                f"Import {identifier} is {row.state}; {verb} is possible when it is"
                f" {' or '.join(TRANSITIONS[verb])}.{' ' + row.reason if row.reason else ''}"
            )
        if verb == "apply":
            _check_applicable(row, max_invalid)
            row.job_id = start_job(
                "customers.apply", {"import": identifier}, key=identifier, subject=("import", identifier)
            ).id
        row.state = target
        row.save()
        record(actor, f"import.{verb}", "import", identifier, {"max_invalid": max_invalid})
    return import_view(row)


def _check_applicable(row: Import, max_invalid: int) -> None:
    if row.state != ImportState.CHECKED:
        return
    assert row.checked_at is not None
    if system_clock() - row.checked_at > timedelta(hours=EXPIRES_AFTER_HOURS):
        raise ImportExpired(f"The dry run of {row.id} is older than {EXPIRES_AFTER_HOURS} hours. Run it again.")
    if file_digest(import_directory(row.id) / "file") != row.digest:
        raise ImportExpired(f"The file of {row.id} has changed since its dry run. Run it again.")
    invalid = row.counts.get("invalid", 0)
    if invalid > max_invalid:
        raise ImportHasInvalid(
            f"{invalid:,} of {row.row_count:,} rows are invalid, {max_invalid:,} are allowed. Mend the file, or apply"
            " with a higher `max_invalid` to leave them out.",
            details={"counts": row.counts},
        )


def declare_observed(mapping: ImportMapping, event_names: Iterable[str]) -> Catalog:
    """Unknown traits and events are taken and entered in the catalog as observed (C-2, C-3). Answers the catalog."""
    known = warehouse_catalog()
    for key, field in mapping.traits.items():
        if key not in known.attributes and key not in _NOT_CUSTOM:
            declare_attribute(LOCAL, key=key, type=field.type or Type.TEXT, source="observed")
    unknown = {key_of(name): name for name in event_names if not known.knows_event(name)}
    for key, name in unknown.items():
        declare_event(LOCAL, key=key, names=[name])
    return warehouse_catalog()
