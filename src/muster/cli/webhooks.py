"""`muster webhooks`: which programs are told what, and what was sent."""

from __future__ import annotations

from urllib.parse import quote

import click

from muster.cli.client import Client, Document
from muster.cli.output import Answer, answers, outline, pick

_STATES = ["waiting", "sent", "failed", "given_up"]


@click.group("webhooks")
def webhooks() -> None:
    """Programs that are told as soon as something happens. A running server sends; without one deliveries wait."""


def _path(webhook_id: str, *rest: str) -> str:
    return "/".join(("/webhooks", quote(webhook_id, safe=""), *(quote(part, safe="") for part in rest)))


@webhooks.command("list")
@answers
def list_webhooks(client: Client) -> Answer:
    items = list(client.items("/webhooks"))
    columns = ("id", "url", "events", "subjects", "active", "disabled", "failing_since", "waiting")
    return Answer({"items": items, "next_cursor": None}, pick(items, *columns))


@webhooks.command("events")
@answers
def list_events(client: Client) -> Answer:
    """What one can be told of."""
    answer = client.get("/webhooks/events")
    return Answer(answer, pick(answer["items"], "key", "label", "scope"))


@webhooks.command("show")
@click.argument("webhook_id")
@answers
def show_webhook(client: Client, webhook_id: str) -> Answer:
    return _shown(client.get(_path(webhook_id)))


@webhooks.command("create")
@click.argument("url")
@click.option("--event", "events", multiple=True, required=True, help="May be given several times.")
@click.option(
    "--subject", "subjects", multiple=True, help="A group's id or key; may be given several times. None: all."
)
@click.option("--description", default="")
@answers
def create_webhook(
    client: Client, url: str, events: tuple[str, ...], subjects: tuple[str, ...], description: str
) -> Answer:
    """Prints the secret with which deliveries are signed, once."""
    wanted = {"url": url, "events": list(events), "subjects": list(subjects), "description": description}
    return _with_secret(client.post("/webhooks", wanted))


@webhooks.command("edit")
@click.argument("webhook_id")
@click.option("--url")
@click.option("--event", "events", multiple=True, help="Instead of those it has.")
@click.option("--subject", "subjects", multiple=True, help="Instead of those it has.")
@click.option("--all-subjects", is_flag=True, help="Tell of all of them.")
@click.option("--description")
@click.option("--on/--off", "active", default=None, help="Send, or send nothing.")
@answers
def edit_webhook(
    client: Client,
    webhook_id: str,
    url: str | None,
    events: tuple[str, ...],
    subjects: tuple[str, ...],
    all_subjects: bool,
    description: str | None,
    active: bool | None,
) -> Answer:
    """Changes what is named; the rest stays as it is."""
    given = {
        "url": url,
        "events": list(events) or None,
        "subjects": [] if all_subjects else list(subjects) or None,
        "description": description,
        "active": active,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError("Say what to change.")
    return _shown(client.patch(_path(webhook_id), changes, client.get(_path(webhook_id))["revision"]))


@webhooks.command("test")
@click.argument("webhook_id")
@answers
def test_webhook(client: Client, webhook_id: str) -> Answer:
    """Sends an event that says nothing."""
    made = client.post(_path(webhook_id, "test"))
    waits = "" if client.asks_a_server else " It waits until a server runs."
    return Answer(made, f"{made['id']} is on its way.{waits}")


@webhooks.command("deliveries")
@click.argument("webhook_id")
@click.argument("delivery_id", required=False)
@click.option("--state", type=click.Choice(_STATES))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--cursor", help="The `next_cursor` of the page before.")
@answers
def list_deliveries(
    client: Client, webhook_id: str, delivery_id: str | None, state: str | None, limit: int, cursor: str | None
) -> Answer:
    """Newest first; of one delivery what is sent, and every attempt."""
    if delivery_id is not None:
        one = client.get(_path(webhook_id, "deliveries", delivery_id))
        one["attempts"] = list(client.items(_path(webhook_id, "deliveries", delivery_id, "attempts")))
        return _shown(one)
    page = client.get(_path(webhook_id, "deliveries"), state=state, limit=limit, cursor=cursor)
    columns = ("id", "event", "subject", "state", "tries", "status", "error", "next_at", "created_at")
    return Answer(page, pick(page["items"], *columns))


@webhooks.command("replay")
@click.argument("webhook_id")
@click.argument("delivery_id", required=False)
@click.option("--since", metavar="INSTANT", help="Everything since then that failed or was given up.")
@answers
def replay(client: Client, webhook_id: str, delivery_id: str | None, since: str | None) -> Answer:
    """Sends a delivery again, under the same id; or all that failed since an instant such as 2026-11-22T10:00Z."""
    if (delivery_id is None) == (since is None):
        raise click.UsageError("Name a delivery, or give --since.")
    if delivery_id is not None:
        again = client.post(_path(webhook_id, "deliveries", delivery_id, "replay"))
        return Answer(again, f"{delivery_id} is on its way again.")
    told = client.post(_path(webhook_id, "replay"), {"since": since})
    return Answer(told, f"{told['deliveries']} deliveries are on their way again.")


@webhooks.command("rotate")
@click.argument("webhook_id")
@click.option("--at-once", is_flag=True, help="The secret leaked: sign with no secret before.")
@answers
def rotate(client: Client, webhook_id: str, at_once: bool) -> Answer:
    """Prints a new secret, once; for 24 hours deliveries are signed with the one before, too."""
    return _with_secret(client.post(_path(webhook_id, "rotate"), {"at_once": at_once}))


@webhooks.command("delete")
@click.argument("webhook_id")
@answers
def delete_webhook(client: Client, webhook_id: str) -> Answer:
    """With the list of what was sent."""
    return Answer(client.delete(_path(webhook_id)), f"{webhook_id} is told nothing any more.")


def _with_secret(made: Document) -> Answer:
    return Answer(made, f"{made['id']}\n{made['secret']}")


def _shown(document: Document) -> Answer:
    return Answer(document, outline(document))
