"""`muster plan` and `muster apply`: groups as YAML in version control.

    version: 1
    groups:
      - key: top-spenders
        name: Top spenders
        tags: [sales]
        definition: {version: 1, app: notes, match: {attribute: app_spend, op: top_percent, value: 10}}
      - key: testers
        kind: known
        name: Testers
        entries: [ann@example.com]      # left out: the list is nobody's business here
      - {key: old-one, state: archived}

Groups that are not in the file stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, TextIO
from urllib.parse import quote

import click
import yaml

from muster.cli.client import Client, Document, Refused
from muster.cli.output import Answer, answers, follow_job_in, pick
from muster.kernel.errors import MusterError
from muster.rules.plan_text import plan_document, plan_text

_FIELDS = ("key", "name", "kind", "tags", "exposure", "definition", "entries", "state")
_SHOWN = ("action", "key", "changes", "size", "joined", "left")


@dataclass
class Step:
    """What becomes of one group; `fields` is what is sent, `group` how it is now."""

    key: str
    action: str
    fields: Document
    group: Document | None = None
    entries: list[str] | None = None
    predicted: Document = field(default_factory=dict)

    def shown(self) -> Document:
        changes = ", ".join(sorted({*self.fields, *(["entries"] if self.entries is not None else [])}))
        return {"action": self.action, "key": self.key, "changes": changes, **self.predicted}


@click.command("plan")
@click.argument("file", type=click.File(encoding="utf-8"))
@answers
def plan(client: Client, file: TextIO) -> Answer:
    """What `muster apply` would change: nothing is changed, joined and left are predicted."""
    return _answer(list(_steps(client, _read(file))))


@click.command("apply")
@click.argument("file", type=click.File(encoding="utf-8"))
@answers
def apply(client: Client, file: TextIO) -> Answer:
    """Makes the groups of FILE be as it says. Ends at the first that is refused; what was done stays."""
    steps = list(_steps(client, _read(file)))
    for step in steps:
        _perform(client, step)
    return _answer(steps)


@click.command("yaml")
@click.argument("groups", nargs=-1)
@answers
def as_yaml(client: Client, groups: tuple[str, ...]) -> Answer:
    """Groups as they are, for `muster plan`; all if none is named. Lists of known groups stay out."""
    found = [client.get(_path(one)) for one in groups] if groups else list(client.items("/groups"))
    document = plan_document(found)
    return Answer(document, plan_text(document))


def _read(file: TextIO) -> list[Document]:
    try:
        # Days and instants of YAML are texts in definitions.
        document = json.loads(json.dumps(yaml.safe_load(file), default=str))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise MusterError(f"{file.name} is not YAML: {error}", code="file_unreadable") from error
    groups = document.get("groups") if isinstance(document, dict) else None
    if not isinstance(groups, list) or document.get("version") != 1 or not all(isinstance(one, dict) for one in groups):
        raise MusterError(f"{file.name} needs `version: 1` and a list of `groups`.", code="plan_invalid")
    for place, one in enumerate(groups):
        _check(one, f"/groups/{place}")
    keys = [one["key"] for one in groups]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise MusterError(f"{', '.join(sorted(twice))} stands there twice.", code="plan_invalid", pointer="/groups")
    return _in_order(groups)


def _check(group: Document, pointer: str) -> None:
    if not isinstance(group.get("key"), str):
        raise MusterError("Every group needs its `key`.", code="plan_invalid", pointer=f"{pointer}/key")
    for name in group:
        if name not in _FIELDS:
            raise MusterError(
                f"{name!r} is no field of a group; there are {', '.join(_FIELDS)}.",
                code="plan_invalid",
                pointer=f"{pointer}/{name}",
            )
    if group.get("state") not in (None, "active", "archived"):
        raise MusterError("The state is active or archived.", code="plan_invalid", pointer=f"{pointer}/state")


def _in_order(groups: list[Document]) -> list[Document]:
    """Groups behind those they refer to, so that they can be created."""
    by_key = {one["key"]: one for one in groups}
    sorter = TopologicalSorter({key: _referred(one.get("definition")) & set(by_key) for key, one in by_key.items()})
    try:
        return [by_key[key] for key in sorter.static_order()]
    except CycleError as error:
        raise MusterError(
            f"Groups refer to each other in a circle: {' > '.join(error.args[1])}.", code="reference_cycle"
        ) from error


def _referred(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_referred, node))
    if not isinstance(node, dict):
        return set()
    named = {node["group"]} if isinstance(node.get("group"), str) else set()
    return named | set().union(*map(_referred, node.values()))


def _steps(client: Client, groups: list[Document]) -> Iterator[Step]:
    coming: set[str] = set()
    for wanted in groups:
        step = _step(client, wanted, coming)
        if step.action == "create":
            coming.add(step.key)
        yield step


def _step(client: Client, wanted: Document, coming: set[str]) -> Step:
    key = wanted["key"]
    group = _existing(client, key)
    if wanted.get("state") == "archived":
        action = "archive" if group and group["state"] != "archived" else "none"
        return Step(key, action, {}, group)
    fields: Document = {name: wanted[name] for name in ("name", "tags", "exposure", "definition") if name in wanted}
    step = Step(key, "create", fields, group, wanted.get("entries"))
    if group is not None:
        step.action = "restore" if group["state"] == "archived" else "change"
        step.fields = {name: value for name, value in fields.items() if name == "definition" or group[name] != value}
    else:
        step.fields = {"name": key, "kind": wanted.get("kind", "segment"), **fields}
    _predict(client, step, coming)
    if step.action == "change" and not step.fields and step.entries is None:
        step.action = "none"
    return step


def _existing(client: Client, key: str) -> Document | None:
    try:
        found: Document = client.get(_path(key))
    except Refused as refused:
        if refused.problem.get("code") == "group_unknown":
            return None
        raise
    return found


def _predict(client: Client, step: Step, coming: set[str]) -> None:
    """Sizes, and who would join and leave; not of what refers to groups that are yet to come."""
    definition = step.fields.get("definition")
    if definition is not None and not _referred(definition) & coming:
        edited = {"edited": step.key} if step.group else {}
        found = client.post("/groups/preview", {"definition": definition, **edited})
        step.predicted = {name: _number(found[name]) for name in ("joined", "left")} | {"size": _number(found)}
        if step.group is not None and found["definition"] == step.group["definition"]:
            del step.fields["definition"]
    if step.entries is not None:
        _predict_list(client, step)


def _predict_list(client: Client, step: Step) -> None:
    """A dry run against the list as it is; of a group that is yet to come every entry is new."""
    if step.group is None:
        step.predicted = {"joined": len(step.entries or []), "left": 0}
        return
    checked = _dry_run(client, step)
    counts = checked["counts"]
    joined = sum(counts.get(one, 0) for one in ("new", "pending", "suppressed"))
    step.predicted = {"size": _number(step.group), "joined": joined, "left": checked["facts"]["leaving"]}
    client.post(f"/imports/{checked['id']}/cancel")
    if not joined and not checked["facts"]["leaving"]:
        step.entries = None


def _dry_run(client: Client, step: Step) -> Document:
    lines = "\n".join(str(one) for one in step.entries or [])
    files = {"file": ("entries", lines.encode() or b"\n")}
    data = {"format": "text", "mode": "replace"}
    begun = client.post(_path(step.key, "imports"), files=files, data=data)
    follow_job_in(client, begun)
    checked: Document = client.get(f"/imports/{begun['id']}")
    return checked


def _perform(client: Client, step: Step) -> None:
    group = step.group
    match step.action:
        case "create":
            client.post("/groups", {"key": step.key, **step.fields})
        case "archive":
            client.post(_path(step.key, "archive"))
        case "restore":
            group = client.post(_path(step.key, "restore"))
    if step.action in ("change", "restore") and step.fields and group:
        # Of the revision that was planned with: who changed it since is not overwritten.
        client.patch(_path(step.key), step.fields, group["revision"])
    if step.entries is not None and step.action != "none":
        checked = _dry_run(client, step)
        follow_job_in(client, client.post(f"/imports/{checked['id']}/apply", {"confirm": True}))


def _number(told: Document | None) -> Any:
    if told is None:
        return None
    return "Small" if told.get("small") else told["size"]


def _path(key: str, *parts: str) -> str:
    return "/".join(("/groups", quote(key, safe=""), *parts))


def _answer(steps: list[Step]) -> Answer:
    items = [step.shown() for step in steps]
    return Answer({"items": items}, pick(items, *_SHOWN))
