"""`muster spool`: what apps sent, on its way into the warehouse, and what of it was refused."""

from __future__ import annotations

import click

from muster.cli.client import Client
from muster.cli.output import Answer, answers, follow_job_in, outline, pick


@click.group("spool")
def spool() -> None:
    """What apps sent: what waits for the warehouse, and what was refused and why."""


@spool.command("verdicts")
@click.option("--app", help="Of this app only.")
@click.option("--code", help="The items of this verdict instead of how many there are of each.")
@click.option("--items", "listed", is_flag=True, help="The items instead of how many there are.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many items.")
@answers
def verdicts(client: Client, app: str | None, code: str | None, listed: bool, limit: int) -> Answer:
    """What was refused in the last 7 days, by verdict."""
    if code is None and not listed:
        page = client.get("/rejects/verdicts", app=app)
        return Answer(page, pick(page["items"], "app", "code", "count", "replayable", "newest_at"))
    page = client.get("/rejects", app=app, code=code, limit=limit)
    return Answer(page, pick(page["items"], "number", "code", "app", "key", "received_at", "replayable", "item"))


@spool.command("replay")
@click.argument("numbers", nargs=-1, type=click.IntRange(1))
@click.option("--app", help="Of this app only.")
@click.option("--code", help="Of this verdict only.")
@answers
def replay(client: Client, numbers: tuple[int, ...], app: str | None, code: str | None) -> Answer:
    """Takes once more what was refused, after its cause was mended; NUMBERS alone, if there are any."""
    begun = client.post("/rejects/replay", {"app": app, "code": code, "numbers": list(numbers) or None})
    job = follow_job_in(client, begun)
    assert job is not None
    return Answer(job["result"], outline(job["result"]))
