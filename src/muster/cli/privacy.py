"""`muster customers`: what people may ask of their data: export, erasure, consent, suppression."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from muster.cli.client import Client, Document
from muster.cli.output import Answer, answers, follow_job_in, outline, pick


def add_commands(customers: click.Group) -> None:
    """Adds them to `muster customers`."""
    for command in (export, erase, erasures, withdraw, consent, suppress):
        customers.add_command(command)


def _path(customer: str, verb: str) -> str:
    return f"/customers/{quote(customer, safe='')}/{verb}"


@click.command("export")
@click.argument("customer")
@click.option("--output", "-o", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True)
@answers
def export(client: Client, customer: str, output: Path) -> Answer:
    """Everything known of CUSTOMER as a ZIP file with a readable page in each language."""
    begun = client.post(_path(customer, "export"))
    follow_job_in(client, begun)
    made: Document = client.get(f"/exports/{begun['id']}")
    with output.open("wb") as file:
        for portion in client.content(f"/exports/{begun['id']}/file"):
            file.write(portion)
    return Answer(made, f"{output}: {output.stat().st_size:,} bytes")


@click.command("erase")
@click.argument("customers", nargs=-1, required=True)
@click.option("--confirm", help="The id of the customer, or how many they are; otherwise it is asked for.")
@click.option("--grace-hours", type=click.IntRange(0, 72), help="For so long it can be withdrawn.")
@answers
def erase(client: Client, customers: tuple[str, ...], confirm: str | None, grace_hours: int | None) -> Answer:
    """Erases people for good, everywhere. CUSTOMERS are cus_... or external:<id>."""
    if confirm is None:
        what = "the customer's id (cus_...)" if len(customers) == 1 else "how many customers these are"
        confirm = click.prompt(f"Type {what} to erase", err=True)
    body: dict[str, Any] = {"confirm": confirm, "grace_hours": grace_hours}
    if len(customers) == 1:
        order = client.post(_path(customers[0], "erase"), body)
    else:
        order = client.post("/erasures", {**body, "customers": list(customers)})
    follow_job_in(client, order)
    done: Document = client.get(f"/erasures/{order['id']}")
    return Answer(done, outline(done["receipt"] or {"erasure": done["id"], "state": done["state"]}))


@click.command("erasures")
@click.argument("erasure", required=False)
@answers
def erasures(client: Client, erasure: str | None) -> Answer:
    """Erasures, newest first; of ERASURE how far each place is, and the receipt."""
    if erasure is None:
        page = client.get("/erasures")
        return Answer(page, pick(page["items"], "id", "state", "customer_count", "requested_at", "done_at"))
    found = client.get(f"/erasures/{quote(erasure, safe='')}")
    return Answer(found, outline(found))


@click.command("withdraw")
@click.argument("erasure")
@answers
def withdraw(client: Client, erasure: str) -> Answer:
    """Takes an order to erase back while its grace lasts."""
    found = client.post(f"/erasures/{quote(erasure, safe='')}/withdraw")
    return Answer(found, f"{found['id']} {found['state']}")


@click.command("consent")
@click.argument("customer")
@click.argument("purpose", type=click.Choice(["profiling", "marketing", "offers"]), required=False)
@click.option("--grant/--deny", "granted", default=None, help="What the person said.")
@click.option("--channel", type=click.Choice(["push", "email", "webhook"]), help="Of marketing.")
@click.option("--text-version", help="Which text they were asked with.")
@answers
def consent(
    client: Client,
    customer: str,
    purpose: str | None,
    granted: bool | None,
    channel: str | None,
    text_version: str | None,
) -> Answer:
    """Adds to what CUSTOMER allows or refuses; without PURPOSE shows all of it."""
    if purpose is None:
        page = client.get(_path(customer, "consents"))
        return Answer(page, pick(page["items"], "purpose", "channel", "granted", "happened_at", "text_version"))
    if granted is None:
        raise click.UsageError("Say --grant or --deny.")
    body = {"granted": granted, "channel": channel, "text_version": text_version}
    said = client.put(f"{_path(customer, 'consents')}/{purpose}", body)
    return Answer(said, outline(said))


@click.group("suppress")
def suppress() -> None:
    """Addresses and ids that no message may reach."""


@suppress.command("list")
@answers
def list_suppressions(client: Client) -> Answer:
    """Newest first."""
    items = list(client.items("/suppressions"))
    return Answer({"items": items}, pick(items, "id", "kind", "identity", "reason", "since"))


@suppress.command("add")
@click.argument("identity")
@click.option("--kind", type=click.Choice(["email", "external"]), default="email", show_default=True)
@click.option(
    "--reason",
    type=click.Choice(["unsubscribed", "bounced", "complained", "manual"]),
    default="manual",
    show_default=True,
)
@answers
def add_suppression(client: Client, identity: str, kind: str, reason: str) -> Answer:
    """IDENTITY is an e-mail address or an external id."""
    made = client.post("/suppressions", {"kind": kind, "identity": identity, "reason": reason})
    return Answer(made, outline(made))


@suppress.command("lift")
@click.argument("suppression")
@answers
def lift_suppression(client: Client, suppression: str) -> Answer:
    """SUPPRESSION is the id that `list` shows."""
    client.delete(f"/suppressions/{quote(suppression, safe='')}")
    return Answer({"id": suppression}, f"{suppression} lifted")
