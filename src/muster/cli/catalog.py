"""`muster catalog`: apps and what they have, attributes, events, the publisher: things with the same verbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TextIO, TypeVar
from urllib.parse import quote

import click

from muster.cli.client import Client, Document
from muster.cli.documents import read_fields, read_json
from muster.cli.output import Answer, answers, outline, pick


@dataclass(frozen=True)
class Thing:
    """`path` below /api/v1, with {app} where it belongs to one; `verbs` the API has for it.

    `appless`: the path of those that belong to no app, where there are such. `listed`: the field of the body that
    holds the fields, where several may be created at once.
    """

    name: str
    path: str
    columns: tuple[str, ...]
    verbs: tuple[str, ...] = ("list", "create")
    appless: str | None = None
    listed: str | None = None

    @property
    def of_app(self) -> bool:
        return "{app}" in self.path


THINGS = (
    Thing("apps", "/apps", ("key", "name", "state"), ("list", "show", "create", "edit")),
    Thing("add-ons", "/apps/{app}/add-ons", ("product_id", "name", "kind", "state")),
    Thing(
        "attributes",
        "/apps/{app}/attributes",
        ("key", "type", "scope", "category", "source"),
        appless="/attributes",
    ),
    Thing("events", "/apps/{app}/events", ("key", "source", "properties")),
    Thing("keys", "/apps/{app}/keys", ("id", "name", "kind", "key", "state"), ("list", "create", "revoke")),
    Thing("token-keys", "/apps/{app}/token-keys", ("id", "algorithm", "state"), ("list", "create", "revoke")),
    Thing("rates", "/rates", ("day", "currency", "to_base", "per_base"), listed="rates"),
)


@click.group("catalog")
def catalog() -> None:
    """Apps, add-ons, events, attributes, and the publisher's settings."""


_file = click.option("--file", type=click.File(encoding="utf-8"), help="A JSON file with the fields; - reads stdin.")
_set = click.option(
    "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="One field; may be given several times."
)


def _fields(file: TextIO | None, pairs: tuple[str, ...]) -> Document:
    fields = {**(read_json(file) if file else {}), **read_fields(pairs)}
    if not fields:
        raise click.UsageError("Give the fields with --set NAME=VALUE or --file.")
    return fields


_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Decorator(Protocol):
    def __call__(self, command: _Command, /) -> _Command: ...


def _same(command: _Command, /) -> _Command:
    return command


def _app_option(thing: Thing) -> _Decorator:
    if not thing.of_app:
        return _same
    text = "The key of the app." + (" Without: what belongs to no app." if thing.appless else "")
    return click.option("--app", required=not thing.appless, help=text)


def _add(thing: Thing) -> None:
    group = click.Group(thing.name, help=f"The {thing.name} of the catalog.")
    app = _app_option(thing)

    def path(app_key: str | None, *key: str) -> str:
        base = thing.appless if thing.appless and app_key is None else thing.path
        return "/".join((base.format(app=quote(app_key or "", safe="")), *(quote(part, safe="") for part in key)))

    @group.command("list")
    @app
    @click.option("--limit", type=click.IntRange(1, 1000), default=1000, show_default=True)
    @click.option("--cursor", help="The `next_cursor` of the page before.")
    @answers
    def list_things(client: Client, limit: int, cursor: str | None, app: str | None = None) -> Answer:
        page = client.get(path(app), limit=limit, cursor=cursor)
        return Answer(page, pick(page["items"], *thing.columns))

    @group.command("show")
    @click.argument("key")
    @app
    @answers
    def show(client: Client, key: str, app: str | None = None) -> Answer:
        return _shown(client.get(path(app, key)))

    @group.command("create")
    @app
    @_file
    @_set
    @answers
    def create(client: Client, file: TextIO | None, pairs: tuple[str, ...], app: str | None = None) -> Answer:
        fields = _fields(file, pairs)
        if thing.listed and thing.listed not in fields:
            fields = {thing.listed: [fields]}
        return _shown(client.post(path(app), fields))

    @group.command("edit")
    @click.argument("key")
    @app
    @_file
    @_set
    @answers
    def edit(client: Client, key: str, file: TextIO | None, pairs: tuple[str, ...], app: str | None = None) -> Answer:
        fields = _fields(file, pairs)
        revision = client.get(path(app, key)).get("revision")
        return _shown(client.patch(path(app, key), fields, revision))

    @group.command("revoke")
    @click.argument("identifier")
    @app
    @answers
    def revoke(client: Client, identifier: str, app: str | None = None) -> Answer:
        return _shown(client.post(path(app, identifier, "revoke"), {}))

    group.commands = {name: command for name, command in group.commands.items() if name in thing.verbs}
    catalog.add_command(group)


for _thing in THINGS:
    _add(_thing)


@catalog.group("publisher")
def publisher() -> None:
    """Time zone, currency, minimum age, smallest group size."""


@publisher.command("show")
@answers
def show_publisher(client: Client) -> Answer:
    return _shown(client.get("/publisher"))


@publisher.command("edit")
@_file
@_set
@answers
def edit_publisher(client: Client, file: TextIO | None, pairs: tuple[str, ...]) -> Answer:
    fields = _fields(file, pairs)
    return _shown(client.patch("/publisher", fields, client.get("/publisher").get("revision")))


def _shown(document: Document) -> Answer:
    return Answer(document, outline(document))
