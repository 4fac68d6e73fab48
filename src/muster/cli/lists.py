"""`muster groups`: known user groups, whose members are listed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TextIO
from urllib.parse import quote

import click

from muster.cli.client import Client, Document
from muster.cli.output import Answer, answers, follow_job_in, outline


def add_commands(groups: click.Group) -> None:
    """Adds them to `muster groups`."""
    for command in (import_members, export, freeze):
        groups.add_command(command)


def _path(group: str, verb: str) -> str:
    return f"/groups/{quote(group, safe='')}/{verb}"


@click.command("import")
@click.argument("group")
@click.argument("file", type=click.File("rb"))
@click.option("--text", "pasted", is_flag=True, help="The file is typed text: entries between spaces, commas, lines.")
@click.option("--mode", type=click.Choice(["add", "replace", "remove"]), default="add", show_default=True)
@click.option("--ids", type=click.Choice(["email", "external", "customer"]), default="email", show_default=True)
@click.option("--column", help="The column with the entries; otherwise it is found.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen to each row.")
@click.option("--max-invalid", type=click.IntRange(0), default=0, show_default=True)
@click.option("--confirm", is_flag=True, help="Also if more than half of the list goes.")
@click.option("--consented", is_flag=True, help="Notes with the import that these people agreed.")
@answers
def import_members(
    client: Client,
    group: str,
    file: BinaryIO,
    pasted: bool,
    dry_run: bool,
    max_invalid: int,
    confirm: bool,
    consented: bool,
    **fields: str | None,
) -> Answer:
    """Changes the list of a known user group; FILE is CSV, NDJSON, Parquet or text, - reads stdin."""
    data = {name: value for name, value in fields.items() if value is not None}
    data["format"] = "text" if pasted else "file"
    with _whole(file) as whole:
        begun = client.post(_path(group, "imports"), files={"file": (file.name, whole)}, data=data)
    follow_job_in(client, begun)
    imported: Document = client.get(f"/imports/{begun['id']}")
    invalid = (imported.get("counts") or {}).get("invalid", 0)
    if not dry_run and invalid > max_invalid:
        return Answer(imported, f"{outline(imported)}\n{invalid} rows are invalid; nothing was applied.", failed=True)
    if not dry_run:
        options: dict[str, Any] = {"max_invalid": max_invalid, "confirm": confirm, "consented": consented}
        follow_job_in(client, client.post(f"/imports/{begun['id']}/apply", json=options))
        imported = client.get(f"/imports/{begun['id']}")
    return Answer(imported, outline(imported))


@contextmanager
def _whole(file: BinaryIO) -> Iterator[BinaryIO]:
    """A file whose length is known before it is sent; a pipe is read to its end first."""
    if file.seekable():
        yield file
        return
    with TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield copy


@click.command("export")
@click.argument("group")
@click.option("--output", "-o", type=click.File("w", encoding="utf-8", lazy=False), default="-", show_default=True)
@answers
def export(client: Client, group: str, output: TextIO) -> Answer:
    """Everybody as CSV; of a list what imports again. Cells that a spreadsheet would run stand behind an apostrophe."""
    count = -1
    for text in client.text(_path(group, "export")):
        count += text.count("\r\n")
        output.write(text.replace("\r\n", "\n") if output.name == "<stdout>" else text)
    output.flush()
    # On standard output the file itself is the answer.
    return Answer({"count": count}, "" if output.name == "<stdout>" else f"{count} members")


@click.command("freeze")
@click.argument("group")
@click.option("--key")
@click.option("--name")
@answers
def freeze(client: Client, group: str, key: str | None, name: str | None) -> Answer:
    """A known user group of those who are in GROUP now."""
    frozen = client.post(_path(group, "freeze"), {"key": key, "name": name})
    return Answer(frozen, outline(frozen))
