"""`muster online`: what the edge answers from."""

from __future__ import annotations

from urllib.parse import quote

import click

from muster.cli.client import Client
from muster.cli.output import Answer, answers, follow_job_in, outline, pick


@click.group("online")
def online() -> None:
    """What the edge answers from: who is in which group that apps may be told of."""


@online.command("status")
@answers
def status(client: Client) -> Answer:
    """Which publication it is, and how much of what is in it."""
    shown = client.get("/online")
    return Answer(shown, outline(shown))


@online.command("check")
@answers
def check(client: Client) -> Answer:
    """Compares all of it with warehouse and groups; what is wrong is mended by itself once a day, or by a rebuild."""
    found = client.post("/online/check")
    return Answer(found, outline(found["wrong"]) if found["wrong"] else "All of it is as it should be.")


@online.command("rebuild")
@answers
def rebuild(client: Client) -> Answer:
    """Makes all of it anew; what there is goes on being answered from."""
    job = follow_job_in(client, client.post("/online/rebuild"))
    assert job is not None
    return Answer(job["result"], outline(job["result"]))


@online.command("get")
@click.argument("customer")
@answers
def get(client: Client, customer: str) -> Answer:
    """The published groups that CUSTOMER (cus_..., external:...) is in."""
    shown = client.get(f"/online/customers/{quote(customer, safe='')}")
    return Answer(shown, pick(shown["groups"], "key", "exposure", "guarded"))
