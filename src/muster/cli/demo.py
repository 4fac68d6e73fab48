"""`muster demo`: real customers to look around with, loaded by a job as from the page, and removed again."""

from __future__ import annotations

from typing import Any

import click

from muster.cli.client import Client
from muster.cli.output import Answer, answers, follow_job_in


@click.group()
def demo() -> None:
    """Sample data to look around with."""


@demo.command("load")
@click.option("--seed", type=int, default=20, show_default=True, help="Of what is generated: visits, lists.")
@answers
def load(client: Client, seed: int) -> Answer:
    """Loads AdventureWorks (Microsoft's sample, MIT) with 8 segments and 2 known user groups."""
    ordered = client.post("/demo/load", {"seed": seed})
    done = follow_job_in(client, ordered)
    groups = [client.get(f"/groups/{key}") for key in client.get("/demo")["groups"]]
    return Answer({"loaded": done is not None, "groups": groups}, _sizes(groups))


@demo.command("remove")
@click.option("--confirm", help="The name of the sample, AdventureWorks; otherwise it is asked for.")
@answers
def remove(client: Client, confirm: str | None) -> Answer:
    """Removes what `muster demo load` brought, and nothing else."""
    if confirm is None:
        confirm = click.prompt("Type AdventureWorks to remove the demo data", err=True)
    done = follow_job_in(client, client.post("/demo/remove", {"confirm": confirm}))
    removed = done["result"] if done else {}
    text = "Removed: " + ", ".join(f"{count} {what}" for what, count in removed.items()) + "."
    return Answer(removed, text)


def _sizes(groups: list[dict[str, Any]]) -> str:
    width = max((len(group["name"]) for group in groups), default=0)
    return "\n".join(f"{group['name']:<{width}}  {_size(group):>8}" for group in groups)


def _size(group: dict[str, Any]) -> str:
    if group.get("small"):
        return "Small"
    return "-" if group["size"] is None else f"{group['size']:,}"
