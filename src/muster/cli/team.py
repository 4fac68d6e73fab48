"""`muster setup`, `muster team` and `muster tokens`."""

from __future__ import annotations

from typing import TextIO
from urllib.parse import quote

import click

from muster.cli.client import Client
from muster.cli.output import Answer, answers, pick


@click.command("setup")
@click.option("--owner", help="E-mail address of the first owner; without it a one-time link is printed.")
@click.option("--password-file", type=click.File(encoding="utf-8"), help="Holds the owner's password; - reads stdin.")
@click.option("--organisation", default="My organisation", show_default=True)
@click.option("--language", type=click.Choice(["en", "de", "fr"]), help="As it stands without: en at first.")
@click.option("--time-zone", help="As it stands without: UTC at first.")
@click.option("--currency", help="As it stands without: EUR at first, USD with the sample.")
@answers
def setup(
    client: Client,
    owner: str | None,
    password_file: TextIO | None,
    organisation: str,
    language: str | None,
    time_zone: str | None,
    currency: str | None,
) -> Answer:
    """Makes the first owner, or a link (one use, 24 hours) with which somebody makes themselves the owner."""
    if owner is None:
        link = client.post("/setup/link")
        return Answer(link, f"Open {link['path']} at the address of the server (one use, 24 hours).")
    if password_file is None:
        raise click.UsageError("--owner needs --password-file.")
    fields = {
        "email": owner,
        "password": password_file.read().rstrip("\r\n"),
        "organisation": organisation,
        "language": language or "",
        "time_zone": time_zone or "",
        "currency": currency or "",
    }
    return Answer(client.post("/setup", fields), f"{owner} owns this installation.")


@click.group("team")
def team() -> None:
    """Who works for the publisher."""


@team.command("list")
@answers
def list_team(client: Client) -> Answer:
    answer = client.get("/team")
    columns = ("id", "email", "name", "role", "second_factor", "is_active", "last_login_at")
    return Answer(answer, pick(answer["items"], *columns))


@team.command("invite")
@click.argument("email")
@click.option("--role", type=click.Choice(["viewer", "editor", "owner"]), default="viewer", show_default=True)
@answers
def invite(client: Client, email: str, role: str) -> Answer:
    """Prints a link (one use, 7 days) with which somebody joins, once."""
    made = client.post("/invitations", {"email": email, "role": role})
    return Answer(made, f"Open {made['path']} at the address of the server (one use, 7 days).")


@team.command("password-link")
@click.argument("email")
@answers
def password_link(client: Client, email: str) -> Answer:
    """Prints a link (one use, 24 hours) with which a member sets another password, once."""
    found = [one["id"] for one in client.get("/team")["items"] if email.lower() in (one["email"].lower(), one["id"])]
    if not found:
        raise click.UsageError(f"Nobody logs in with {email}; `muster team list` shows who does.")
    made = client.post(f"/team/{quote(found[0], safe='')}/password-link")
    return Answer(made, f"Open {made['path']} at the address of the server (one use, 24 hours).")


@click.group("tokens")
def tokens() -> None:
    """What programs log in with."""


@tokens.command("list")
@answers
def list_tokens(client: Client) -> Answer:
    answer = client.get("/tokens")
    columns = ("id", "name", "scopes", "created_by", "created_at", "last_used_at", "revoked_at")
    return Answer(answer, pick(answer["items"], *columns))


@tokens.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="May be given several times, e.g. groups:read.")
@answers
def create_token(client: Client, name: str, scopes: tuple[str, ...]) -> Answer:
    """Prints the secret, once."""
    token = client.post("/tokens", {"name": name, "scopes": list(scopes)})
    return Answer(token, token["secret"])


@tokens.command("revoke")
@click.argument("token_id")
@answers
def revoke_token(client: Client, token_id: str) -> Answer:
    return Answer(client.delete(f"/tokens/{quote(token_id, safe='')}"), f"{token_id} opens nothing any more.")
