"""`muster jobs`: work that outlives a request."""

from __future__ import annotations

from urllib.parse import quote

import click

from muster.cli.client import Client, Document
from muster.cli.output import Answer, answers, follow, outline, pick

_STATES = ["waiting", "running", "paused", "done", "failed", "cancelled"]


@click.group("jobs")
def jobs() -> None:
    """Imports, refreshes and other long work."""


@jobs.command("list")
@click.option("--state", type=click.Choice(_STATES))
@click.option("--limit", type=click.IntRange(1, 1000), default=50)
@answers
def list_jobs(client: Client, state: str | None, limit: int) -> Answer:
    """Newest first."""
    page = client.get("/jobs", state=state, limit=limit)
    return Answer(page, pick(page["items"], "id", "kind", "state", "done", "total", "text", "created_at"))


@jobs.command("show")
@click.argument("job_id")
@answers
def show_job(client: Client, job_id: str) -> Answer:
    return _answer(client.get(f"/jobs/{quote(job_id, safe='')}"))


@jobs.command("watch")
@click.argument("job_id")
@answers
def watch_job(client: Client, job_id: str) -> Answer:
    """Waits until it is over. Without a server it is run here, also if a killed process left it behind."""
    job = follow(client, job_id)
    return _answer(job, failed=job["state"] == "failed")


def _change(wish: str, sentence: str) -> None:
    @jobs.command(wish, help=sentence)
    @click.argument("job_id")
    @answers
    def change(client: Client, job_id: str) -> Answer:
        return _answer(client.post(f"/jobs/{quote(job_id, safe='')}/{wish}"))


_change("cancel", "Ends it at its next step.")
_change("pause", "Stops it at its next step, to be resumed.")
_change("resume", "Goes on with a paused job.")
_change("retry", "Runs a failed or cancelled job again.")


def _answer(job: Document, failed: bool = False) -> Answer:
    return Answer(job, outline({key: value for key, value in job.items() if value not in (None, "")}), failed)
