"""`muster backup`, `backups`, `restore` and `doctor`: the installation as a whole."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import click

from muster.cli.client import Client, Document, running_server
from muster.cli.doors import Doors
from muster.cli.output import EXIT_REFUSED, Answer, answers, follow_job_in, pick, shown_errors
from muster.kernel.errors import MusterError


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@answers
def backup(client: Client, file: Path | None) -> Answer:
    """Everything in one file, while work goes on: MUSTER_HOME/backups/muster-<time>.tar.zst, and copied to FILE."""
    if file is not None and file.exists():
        raise MusterError(f"{file} exists already. Name another file.", code="value_not_allowed")
    job = follow_job_in(client, client.post("/backups"))
    assert job is not None
    made: Document = job["result"]
    if file is not None:
        _copy(Path(made["path"]), file)
        made = {**made, "copy": str(file)}
    return Answer(made, f"{file or made['path']}  {made['bytes']:,} bytes")


@click.command("backups")
@answers
def backups(client: Client) -> Answer:
    """Those in MUSTER_HOME/backups, newest first."""
    page = client.get("/backups")
    return Answer(page, pick(page["items"], "name", "made", "created_at", "bytes"))


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Move what is in MUSTER_HOME to before-restore-<time>/ in it.")
@click.option("--json", "as_json", is_flag=True, help="Print what was restored as JSON.")
@click.pass_obj
def restore(doors: Doors, file: Path, replace: bool, as_json: bool) -> None:
    """Puts a backup in the place of the installation, which nobody may be serving."""
    with shown_errors(as_json):
        restored = doors.restore(file, replace, lambda _, __: None)
    if as_json:
        click.echo(json.dumps(restored, ensure_ascii=False, indent=2))
        return
    click.echo(f"Restored {restored['files']:,} files of {restored['created_at']} (Muster {restored['muster']}).")
    if restored["aside"]:
        click.echo(f"What was there lies in {restored['aside']}.")


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_obj
def doctor(doors: Doors, as_json: bool) -> None:
    """Looks at everything the installation needs, also at one that cannot be opened. Exit code 1 if a check failed."""
    with shown_errors(as_json):
        with running_server(doors) as client:
            examined = None if client is None else client.get("/doctor")
        if examined is None:
            examined = doors.examine()
    if as_json:
        click.echo(json.dumps(examined, ensure_ascii=False, indent=2))
    else:
        for check in examined["checks"]:
            click.echo(f"{check['state']:<7}  {check['key']}: {check['message']}")
            if check["state"] != "ok":
                click.echo(f"{'':<9}at {check['place']}" + (f"; {check['remedy']}" if check["remedy"] else ""))
    if examined["failed"]:
        sys.exit(EXIT_REFUSED)


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all, readable by its owner only."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        unfinished.rename(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        message = f"The backup {source} was made, but could not be copied to {target}: {error.strerror}."
        raise MusterError(message, code="file_unwritable") from error
