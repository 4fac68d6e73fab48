"""`muster groups`: customer groups."""

from __future__ import annotations

from typing import Any, TextIO
from urllib.parse import quote

import click

from muster.cli.client import Client, Document
from muster.cli.documents import read_json
from muster.cli.lists import add_commands
from muster.cli.output import Answer, answers, follow_job_in, outline, pick
from muster.cli.plans import as_yaml

_definition = click.option(
    "--definition", type=click.File(encoding="utf-8"), help="A JSON file with the definition; - reads stdin."
)
_at = click.option("--at", help="As if it were this instant (RFC 3339); slow for the past.")
_no_wait = click.option("--no-wait", is_flag=True, help="Do not wait until the sizes are computed.")


_exposure = click.option(
    "--exposure",
    type=click.Choice(["never", "signed", "open"]),
    help="Whom apps tell that they are in it: nobody, customers with a token, or whoever is named.",
)


@click.group("groups")
def groups() -> None:
    """Customer groups: who is in, who would be, and why."""


def _path(group: str, *parts: str) -> str:
    return "/".join(("/groups", quote(group, safe=""), *parts))


@groups.command("list")
@click.option("--state", help="Only groups in this state.")
@answers
def list_groups(client: Client, state: str | None) -> Answer:
    items = list(client.items("/groups", state=state))
    return Answer({"items": items}, pick([_sized(item) for item in items], "key", "name", "state", "size", "id"))


@groups.command("show")
@click.argument("group")
@_at
@answers
def show_group(client: Client, group: str, at: str | None) -> Answer:
    return _shown(client.get(_path(group), at=at))


@groups.command("create")
@click.argument("key")
@click.option("--name", help="What people see; otherwise the key.")
@click.option("--tag", "tags", multiple=True)
@click.option("--definition", type=click.File(encoding="utf-8"), help="A segment's, as JSON file; - reads stdin.")
@click.option("--known", is_flag=True, help="A known user group, whose members are listed.")
@_exposure
@_no_wait
@answers
def create_group(
    client: Client,
    key: str,
    name: str | None,
    tags: tuple[str, ...],
    definition: TextIO | None,
    known: bool,
    exposure: str | None,
    no_wait: bool,
) -> Answer:
    if known == (definition is not None):
        raise click.UsageError("Give either --definition or --known.")
    fields: Document = {"key": key, "name": name or key, "tags": list(tags)}
    fields |= {"kind": "known"} if definition is None else {"definition": read_json(definition)}
    if exposure is not None:
        fields["exposure"] = exposure
    return _settled(client, client.post("/groups", fields), no_wait)


@groups.command("edit")
@click.argument("group")
@click.option("--name")
@click.option("--tag", "tags", multiple=True, help="Replaces all tags.")
@_definition
@_exposure
@click.option("--revision", type=int, help="Refuse if somebody changed it since; otherwise the newest is changed.")
@_no_wait
@answers
def edit_group(
    client: Client,
    group: str,
    name: str | None,
    tags: tuple[str, ...],
    definition: TextIO | None,
    exposure: str | None,
    revision: int | None,
    no_wait: bool,
) -> Answer:
    fields: dict[str, Any] = {} if exposure is None else {"exposure": exposure}
    if name is not None:
        fields["name"] = name
    if tags:
        fields["tags"] = list(tags)
    if definition is not None:
        fields["definition"] = read_json(definition)
    if not fields:
        raise click.UsageError("Nothing to change: give --name, --tag, --definition or --exposure.")
    if revision is None:
        revision = client.get(_path(group))["revision"]
    return _settled(client, client.patch(_path(group), fields, revision), no_wait)


@groups.command("preview")
@click.option("--definition", type=click.File(encoding="utf-8"), required=True, help="A JSON file; - reads stdin.")
@_at
@answers
def preview(client: Client, definition: TextIO, at: str | None) -> Answer:
    """How many a definition would hold, and what each condition takes away; nothing is saved."""
    answer = client.post("/groups/preview", {"definition": read_json(definition)}, params={"at": at} if at else {})
    return Answer(answer, outline(answer))


def _act(verb: str, sentence: str) -> None:
    @groups.command(verb, help=sentence)
    @click.argument("group")
    @_no_wait
    @answers
    def act(client: Client, group: str, no_wait: bool) -> Answer:
        return _settled(client, client.post(_path(group, verb)), no_wait)


_act("activate", "Makes a group usable.")
_act("refresh", "Computes it anew from all data.")
_act("retry", "Tries a failed refresh again.")
_act("archive", "Puts it away; it keeps its history and can be restored.")
_act("restore", "Brings an archived group back.")


@groups.command("delete")
@click.argument("group")
@answers
def delete_group(client: Client, group: str) -> Answer:
    """Refused while something uses it."""
    return Answer(client.delete(_path(group)), f"{group} is deleted.")


@groups.command("members")
@click.argument("group")
@click.option("--limit", type=click.IntRange(1, 1000), default=100)
@click.option("--cursor")
@click.option("--as-of", help="As recorded at this past instant (RFC 3339).")
@_at
@answers
def members(client: Client, group: str, limit: int, cursor: str | None, as_of: str | None, at: str | None) -> Answer:
    """One page of who is in, was in, or would be in."""
    page = client.get(_path(group, "members"), limit=limit, cursor=cursor, as_of=as_of, at=at)
    more = f"\nmore: --cursor {page['next_cursor']}" if page.get("next_cursor") else ""
    return Answer(page, "\n".join(page["items"]) + more)


@groups.command("changes")
@click.argument("group")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--cursor")
@answers
def changes(client: Client, group: str, limit: int, cursor: str | None) -> Answer:
    """Who joined and left, newest first."""
    page = client.get(_path(group, "changes"), limit=limit, cursor=cursor)
    rows = [
        {**one, "size": _number(one), "joined": _number(one["joined"]), "left": _number(one["left"])}
        for one in page["items"]
    ]
    more = f"\nmore: --cursor {page['next_cursor']}" if page.get("next_cursor") else ""
    return Answer(page, pick(rows, "id", "at", "cause", "joined", "left", "size") + more)


@groups.command("explain")
@click.argument("group")
@click.option("--customer", required=True, help="cus_... or external:<id>.")
@click.option("--as-of", help="At this past instant (RFC 3339).")
@answers
def explain(client: Client, group: str, customer: str, as_of: str | None) -> Answer:
    """Why somebody is in or out, and what will change it."""
    answer = client.get(_path(group, "explain"), customer=customer, as_of=as_of)
    return Answer(answer, outline(answer))


@groups.command("compare")
@click.argument("group")
@answers
def compare(client: Client, group: str) -> Answer:
    """Who they are, beside everybody."""
    answer = client.get(_path(group, "compare"))
    rows = [
        {
            "figure": one["key"],
            "value": value["value"],
            "group": _number(value["group"]),
            "population": _number(value["population"]),
            "index": "" if value["index"] is None else f"{value['index']:.2f}",
        }
        for one in answer["breakdowns"]
        for value in one["values"]
    ]
    return Answer(answer, pick(rows, "figure", "value", "group", "population", "index"))


@groups.command("overlap")
@click.argument("group", nargs=-1, required=True)
@answers
def overlap(client: Client, group: tuple[str, ...]) -> Answer:
    answer = client.get("/groups/overlap", ids=",".join(group))
    return Answer(answer, outline(answer))


@groups.command("versions")
@click.argument("group")
@answers
def versions(client: Client, group: str) -> Answer:
    answer = client.get(_path(group, "versions"))
    return Answer(answer, outline(answer))


@groups.command("templates")
@click.option("--app", required=True, help="The key of the app it is about.")
@click.option("--copy", "key", help="Make a group of this template.")
@answers
def templates(client: Client, app: str, key: str | None) -> Answer:
    """Ready-made definitions, with their sizes for an app."""
    if key:
        return _shown(client.post(f"/group-templates/{quote(key, safe='')}/copy", {"app": app}))
    answer = client.get("/group-templates", app=app)
    return Answer(answer, pick([_sized(item) for item in answer["items"]], "key", "name", "size", "sentence"))


def _settled(client: Client, group: Document, no_wait: bool) -> Answer:
    """The group after the job its change started."""
    if follow_job_in(client, group, wait=not no_wait):
        group = client.get(_path(group["id"]))
    return _shown(group)


def _shown(group: Document) -> Answer:
    return Answer(group, outline(group))


def _number(told: Document) -> Any:
    return "Small" if told.get("small") else told["size"]


def _sized(group: Document) -> Document:
    return {**group, "size": "Small"} if group.get("small") else group


add_commands(groups)
groups.add_command(as_yaml)
