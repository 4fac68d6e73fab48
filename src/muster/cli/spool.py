"""`muster spool`: what apps sent, on its way into the warehouse, and what of it was refused."""

from __future__ import annotations

import click

from muster.cli.client import Client
from muster.cli.output import Answer, answers, follow_job_in, outline, pick


@click.group("spool")
def spool() -> None:
    """What apps sent: what waits for the warehouse, and what was refused and why."""


@spool.command("status")
@answers
def status(client: Client) -> Answer:
    """What waits for the warehouse, slot by slot; damaged files."""
    shown = client.get("/spool")
    told = pick(shown["slots"], "slot", "held", "readable", "drained", "requests", "items", "bytes", "oldest_at")
    for name, said in (("set_aside", "set aside, to be recovered"), ("unreadable", "not to be read, kept 30 days")):
        told += "".join(f"\n{file}: {said}" for file in shown[name])
    return Answer(shown, told)


@spool.command("tail")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@answers
def tail(client: Client, limit: int) -> Answer:
    """The newest requests that lie there; drained ones stay for a second or so."""
    page = client.get("/spool/requests", limit=limit)
    columns = ("position", "received_at", "app", "key", "trust", "kind", "call", "items", "bytes", "drained")
    return Answer(page, pick(page["items"], *columns))


@spool.command("recover")
@answers
def recover(client: Client) -> Answer:
    """Brings back what can be read of damaged files. Those that are written now are looked at when their process
    begins; what one sets aside is recovered by itself within a minute."""
    job = follow_job_in(client, client.post("/spool/recover"))
    assert job is not None
    files = job["result"]["files"]
    return Answer(job["result"], pick(files, "file", "requests", "slot", "kept") if files else "None is damaged.")


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
