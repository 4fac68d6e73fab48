"""The mapping of a file: as it is written, proposed, checked against the columns, kept and read again (C-35)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from muster.catalog.queries import publisher, warehouse_catalog
from muster.customers import hooks
from muster.customers.models import Import
from muster.customers.queries import import_directory
from muster.kernel.worded import worded
from muster.warehouse.files.choices import document_of
from muster.warehouse.files.dates import check_dates
from muster.warehouse.files.errors import FileUnreadable, MappingInvalid
from muster.warehouse.files.guess import head_of, propose
from muster.warehouse.files.mapping import ImportMapping, read_mapping, read_source
from muster.warehouse.files.reading import open_rows


def parsed_mapping(text: bytes, kind: str) -> Any:
    """The YAML document; `kind` says what it leaves out, and must not say otherwise."""
    try:
        document = plain(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise MappingInvalid(worded("The mapping is not YAML: {error}", error=error)) from error
    if not isinstance(document, dict) or not kind:
        return document
    if document.setdefault("kind", kind) != kind:
        raise MappingInvalid(
            worded("The mapping is for {told_kind}, not for {kind}.", told_kind=document["kind"], kind=kind),
            pointer="/kind",
        )
    return document


def proposal(path: Path, kind: str, app: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping that the file's header and first rows suggest."""
    rows = open_rows(path, read_source(source))
    if not rows.columns:
        raise FileUnreadable("The file is empty: it has not even a header.", pointer="/file")
    known = {key: one.type for key, one in warehouse_catalog().attributes.items()}
    chosen = propose(kind, head_of(rows), known, app=app, zone=publisher().time_zone)
    return document_of(replace(chosen, source=source))


def prepared(document: Any, path: Path) -> tuple[str, dict[str, Any]]:
    """The kind of an import, and what is known of its file before it is judged."""
    kind = hooks.import_kinds.get(document["kind"]) if isinstance(document, dict) and "group" in document else None
    if kind is not None:
        return kind.key, kind.prepare(document, path)
    return checked_mapping(document, path).kind, {}


def checked_mapping(document: Any, path: Path) -> ImportMapping:
    rows = open_rows(path, source_of(document))
    if not rows.columns:
        raise FileUnreadable("The file is empty: it has not even a header.")
    mapping = read_mapping(document, rows.columns)
    check_dates(mapping, rows)
    if mapping.app is not None and mapping.app not in warehouse_catalog().apps:
        raise MappingInvalid(worded("There is no app `{app}`. Create it first.", app=mapping.app), pointer="/app")
    return mapping


def source_of(document: Any) -> Any:
    """How to read the file, before its columns are known: the mapping's own `source`, wrong fields aside."""
    return read_source(document.get("source") if isinstance(document, dict) else None)


def mapping_of(row: Import) -> tuple[ImportMapping, Any]:
    """The mapping of an import and its file's rows."""
    rows = open_rows(import_directory(row.id) / "file", source_of(row.mapping))
    return read_mapping(row.mapping, rows.columns), rows


def plain(document: Any) -> Any:
    """Days, instants and keys of other kinds become what they would be in JSON, which is how the mapping is kept."""
    return json.loads(json.dumps(document, default=lambda one: float(one) if isinstance(one, Decimal) else str(one)))
