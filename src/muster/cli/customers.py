"""`muster customers`: finding people and importing them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from muster.cli.client import Client, Document
from muster.cli.imports import imports
from muster.cli.output import Answer, answers, follow_job_in, outline, pick
from muster.cli.privacy import add_commands as add_privacy


@click.group("customers")
def customers() -> None:
    """The people groups are made of."""


@customers.command("find")
@click.argument("search")
@click.option("--limit", type=click.IntRange(1, 1000), default=25)
@answers
def find(client: Client, search: str, limit: int) -> Answer:
    """By external id, e-mail address, anonymous id or cus_... ."""
    page = client.get("/customers", search=search, limit=limit)
    return Answer(page, pick(page["items"], "id", "external_id", "email"))


@customers.command("show")
@click.argument("customer")
@answers
def show(client: Client, customer: str) -> Answer:
    """CUSTOMER is cus_... or external:<id>."""
    document = client.get(f"/customers/{quote(customer, safe='')}")
    return Answer(document, outline(document))


@customers.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", required=True, help="What the rows are: customers, orders, events, ...")
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A YAML file.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen to each row.")
@click.option(
    "--max-invalid", type=click.IntRange(0), default=0, show_default=True, help="Apply with this many bad rows."
)
@answers
def import_files(
    client: Client, files: tuple[Path, ...], kind: str, mapping: Path | None, dry_run: bool, max_invalid: int
) -> Answer:
    """Reads each file, says what becomes of every row, and applies it."""
    done = []
    for file in files:
        imported = _checked(client, file, kind, mapping)
        failed = not dry_run and _invalid_count(imported) > max_invalid
        if not dry_run and not failed:
            follow_job_in(client, client.post(f"/imports/{imported['id']}/apply", json={"max_invalid": max_invalid}))
            imported = client.get(f"/imports/{imported['id']}")
        done.append({"file": str(file), **imported})
        if failed:
            return Answer({"items": done}, _text(done) + _stopped(imported, max_invalid), failed=True)
    return Answer({"items": done}, _text(done))


def _checked(client: Client, file: Path, kind: str, mapping: Path | None) -> Document:
    """The import after its dry run."""
    with ExitStack() as stack:
        files: dict[str, Any] = {"file": (file.name, stack.enter_context(file.open("rb")))}
        if mapping is not None:
            files["mapping"] = (mapping.name, stack.enter_context(mapping.open("rb")), "application/yaml")
        started = client.post("/imports", files=files, data={"kind": kind})
    follow_job_in(client, started)
    checked: Document = client.get(f"/imports/{started['id']}")
    return checked


def _invalid_count(imported: Document) -> int:
    return int((imported.get("counts") or {}).get("invalid", 0))


def _stopped(imported: Document, max_invalid: int) -> str:
    invalid = _invalid_count(imported)
    return (
        f"\n{invalid} rows are invalid, more than --max-invalid {max_invalid}; nothing of this file was applied. "
        f"See them with: muster customers imports rows {imported['id']} --verdict invalid"
    )


def _text(imports: list[Document]) -> str:
    return "\n".join(outline(item) for item in imports)


customers.add_command(imports)
add_privacy(customers)
