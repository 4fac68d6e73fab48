"""How commands write their answers and errors: text for people, or with `--json` exactly what the API answered."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from muster.cli.client import Client, Document, Refused, connect
from muster.cli.doors import Doors
from muster.kernel.errors import MusterError
from muster.kernel.room import disk_full

EXIT_REFUSED = 1
EXIT_NOT_FOUND = 3


@dataclass(frozen=True)
class Answer:
    """`document`: for programs; `text`: for people. `failed`: said well, but the command did not reach its aim."""

    document: Any
    text: str
    failed: bool = False


def answers(command: Callable[..., Answer]) -> Callable[..., None]:
    """Makes a function of a Client a command with `--json`, one way of showing errors, and exit codes."""

    @click.option("--json", "as_json", is_flag=True, help="Print the API's own answer.")
    @click.pass_obj
    @functools.wraps(command)
    def run(doors: Doors, /, *, as_json: bool, **arguments: Any) -> None:
        with shown_errors(as_json), connect(doors) as client:
            answer = command(client, **arguments)
        text = json.dumps(answer.document, ensure_ascii=False, indent=2) if as_json else answer.text
        # Where the answer was written already, as an export is, not even an empty line follows.
        click.echo(text, nl=bool(text))
        if answer.failed:
            sys.exit(EXIT_REFUSED)

    return run


@contextmanager
def shown_errors(as_json: bool = False) -> Iterator[None]:
    """Errors go to stderr; exit code 3 for what does not exist, 1 for every other refusal (2 is click's own: usage)."""
    try:
        yield
    except Refused as refused:
        text = json.dumps(refused.problem, ensure_ascii=False, indent=2) if as_json else problem_text(refused.problem)
        click.echo(text, err=True)
        sys.exit(EXIT_NOT_FOUND if refused.status == 404 else EXIT_REFUSED)
    except MusterError as error:
        click.echo(error_line(error.code, error.pointer, error.message), err=True)
        sys.exit(EXIT_REFUSED)
    except Exception as error:
        full = disk_full(error)
        if full is None:
            raise
        click.echo(error_line(full.code, "", full.message), err=True)
        sys.exit(EXIT_REFUSED)


def problem_text(problem: Document) -> str:
    """`error [code] at pointer: sentence`, one line for each thing wrong."""
    errors = problem.get("errors") or []
    if not errors:
        return error_line(problem["code"], "", problem["detail"])
    return "\n".join(
        error_line(
            error.get("code") or problem["code"],
            error.get("pointer") or error.get("parameter") or "",
            error.get("message") or problem["detail"],
            error.get("nearest"),
        )
        for error in errors
    )


def error_line(code: str, pointer: str, message: str, nearest: str | None = None) -> str:
    place = f" at {pointer}" if pointer else ""
    hint = f" Nearest: {nearest}" if nearest and nearest not in message else ""
    return f"error [{code}]{place}: {message}{hint}"


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Aligned columns; numbers to the right. Nothing is cut: it may be read by another program."""
    if not rows:
        return "none"
    texts = [[str(column).upper() for column in columns], *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(columns))]
    right = [all(_is_number(row[place]) for row in rows) for place in range(len(columns))]
    lines = [
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        )
        for row in texts
    ]
    return "\n".join(line.rstrip() for line in lines)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def outline(document: Any) -> str:
    """A document with its structure, for people."""
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100).rstrip()


def pick(items: Sequence[Document], *columns: str) -> str:
    """A table of these fields of the items; a field that an item has not is empty."""
    return table(columns, [[item.get(column) for column in columns] for item in items])


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_cell(item) for item in value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
    # A name may hold anything; a line of the table stays one line.
    return " ".join(str(value).split())


def follow(client: Client, job_id: str) -> Document:
    """Waits for a job, with a bar where somebody looks on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return client.follow(job_id, lambda _: None)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("waiting", total=None)

        def tell(job: Document) -> None:
            progress.update(bar, description=job["text"] or job["kind"], completed=job["done"], total=job["total"])

        return client.follow(job_id, tell)


def follow_job_in(client: Client, document: Document, wait: bool = True) -> Document | None:
    """The finished job that an answer says it started (its `job`, or itself), if there is one and we wait."""
    job = document.get("job") or (document if str(document.get("id", "")).startswith("job_") else None)
    if not job or not wait:
        return None
    finished = follow(client, job["id"])
    if finished["state"] != "done":
        raise job_failed(finished)
    return finished


def job_failed(job: Document) -> MusterError:
    error = job.get("error") or {}
    message = error.get("message") or f"The job {job['id']} is {job['state']}."
    return MusterError(message, code=error.get("code") or f"job_{job['state']}")
