"""`muster customers imports`: files on their way in, and out again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import yaml

from muster.cli.client import Client, Document
from muster.cli.output import Answer, answers, follow_job_in, outline, pick
from muster.kernel.errors import MusterError

_COLUMNS = ("id", "kind", "state", "file_name", "counts", "applied", "created_at")


@click.group("imports")
def imports() -> None:
    """Files that were imported: how far they are, what became of each row, taking them out again."""


@imports.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50)
@click.option("--cursor", help="The `next_cursor` of the page before.")
@answers
def list_imports(client: Client, limit: int, cursor: str | None) -> Answer:
    """Newest first."""
    page = client.get("/imports", limit=limit, cursor=cursor)
    return Answer(page, pick(page["items"], *_COLUMNS))


@imports.command("show")
@click.argument("import_id")
@answers
def show(client: Client, import_id: str) -> Answer:
    return _shown(client.get(_path(import_id)))


@imports.command("apply")
@click.argument("import_id")
@click.option("--max-invalid", type=click.IntRange(0), default=0, show_default=True, help="With this many bad rows.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only if the dry run was of this file.",
)
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only if the dry run was made with this mapping.",
)
@answers
def apply(client: Client, import_id: str, max_invalid: int, file: Path | None, mapping: Path | None) -> Answer:
    """Takes in what the dry run judged; goes on with what was paused or interrupted."""
    body: Document = {"max_invalid": max_invalid}
    if file is not None:
        with file.open("rb") as opened:
            body["digest"] = hashlib.file_digest(opened, "sha256").hexdigest()
    if mapping is not None:
        body["mapping"] = _mapping(mapping)
    return _followed(client, import_id, client.post(_path(import_id, "apply"), json=body))


@imports.command("pause")
@click.argument("import_id")
@answers
def pause(client: Client, import_id: str) -> Answer:
    """Stops it after the chunk at hand; `apply` goes on."""
    return _shown(client.post(_path(import_id, "pause")))


@imports.command("cancel")
@click.argument("import_id")
@answers
def cancel(client: Client, import_id: str) -> Answer:
    """Ends it and takes out what is in already."""
    changed = client.post(_path(import_id, "cancel"))
    return _followed(client, import_id, changed) if changed["state"] == "undoing" else _shown(changed)


@imports.command("undo")
@click.argument("import_id")
@answers
def undo(client: Client, import_id: str) -> Answer:
    """Takes out, up to 30 days later, what it brought."""
    return _followed(client, import_id, client.post(_path(import_id, "undo")))


@imports.command("rows")
@click.argument("import_id")
@click.option("--verdict")
@click.option("--limit", type=click.IntRange(1, 1000), default=100)
@click.option("--cursor")
@answers
def rows(client: Client, import_id: str, verdict: str | None, limit: int, cursor: str | None) -> Answer:
    """What became of each row of an import, and why."""
    page = client.get(_path(import_id, "rows"), verdict=verdict, limit=limit, cursor=cursor)
    columns = list(page["items"][0]) if page["items"] else ["row"]
    return Answer(page, pick(page["items"], *columns))


def _path(import_id: str, *further: str) -> str:
    return "/".join(("/imports", quote(import_id, safe=""), *further))


def _mapping(file: Path) -> Any:
    """As JSON would have it: days and times are texts."""
    try:
        return json.loads(json.dumps(yaml.safe_load(file.read_bytes()), default=str))
    except (yaml.YAMLError, ValueError) as error:
        raise MusterError(f"{file} is not YAML: {error}", code="mapping_invalid") from error


def _followed(client: Client, import_id: str, changed: Document) -> Answer:
    """The import when its job is over."""
    follow_job_in(client, changed)
    return _shown(client.get(_path(import_id)))


def _shown(imported: Document) -> Answer:
    return Answer(imported, outline(imported))
