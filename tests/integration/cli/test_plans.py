"""Groups as YAML: planned, applied, written out again (groups spec, section 8)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.integration.living import Document, Living, csv_of, living
from tests.integration.processes import muster

_PEOPLE = {"kind": "customers", "row": {"external_id": "id", "email": "email", "traits": {"country": "country"}}}
_VISITS = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
_FRENCH = {"version": 1, "app": "notes", "match": {"attribute": "country", "op": "is", "value": "FR"}}
_ALL = {"version": 1, "app": "notes", "match": {"everyone": True}}


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    """Forty French and forty Germans."""
    with living(module_environment) as installation:
        installation.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        people = [f"u{n},u{n}@example.com,{'FR' if n % 2 else 'DE'}" for n in range(80)]
        installation.bring_in(csv_of("id,email,country", *people), _PEOPLE)
        visits = [f"u{n},app_opened,2026-11-01T00:00:00Z" for n in range(80)]
        installation.bring_in(csv_of("id,event,at", *visits), _VISITS)
        yield installation


def _run(town: Living, command: str, *groups: Document) -> tuple[int, list[tuple[object, ...]]]:
    file = town.home / "groups.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "groups": list(groups)}), encoding="utf-8")
    status, answer = town.command(command, str(file))
    fields = ("action", "key", "changes", "size", "joined", "left")
    return status, [tuple(item.get(name) for name in fields) for item in answer["items"]]


def test_plan_predicts_what_apply_does(town: Living) -> None:
    inner = {"key": "french", "name": "French", "definition": _FRENCH}
    outer = {"key": "abroad", "definition": {"version": 1, "app": "notes", "match": {"none": [{"group": "french"}]}}}
    testers = {"key": "testers", "kind": "known", "entries": ["u1@example.com", "new@example.com"]}
    expected = [
        ("create", "french", "definition, kind, name", 40, None, None),
        ("create", "testers", "entries, kind, name", None, 2, 0),
        ("create", "abroad", "definition, kind, name", None, None, None),
    ]
    # Abroad refers to what is yet to come: it comes last, and nothing is predicted of it.
    for command in ("plan", "apply"):
        status, done = _run(town, command, outer, inner, testers)
        assert (status, sorted(done, key=str)) == (0, sorted(expected, key=str))
    assert [town.get(f"/groups/{key}")["size"] for key in ("french", "abroad", "testers")] == [40, 40, 1]
    assert [one[0] for one in _run(town, "plan", outer, inner, testers)[1]] == ["none", "none", "none"]

    changed = [{**inner, "definition": _ALL}, {**testers, "entries": ["u2@example.com"]}]
    expected = [("change", "french", "definition", 80, 40, 0), ("change", "testers", "entries", 1, 1, 2)]
    for command in ("plan", "apply"):
        assert _run(town, command, *changed) == (0, expected)
    assert [town.get(f"/groups/{key}")["size"] for key in ("french", "abroad", "testers")] == [80, 0, 1]

    town.post("/groups", {"name": "Old", "key": "old", "definition": _ALL}, 201)
    assert _run(town, "apply", {"key": "old", "state": "archived"})[1][0][0] == "archive"
    assert _run(town, "apply", {"key": "old", "state": "archived"})[1][0][0] == "none"
    assert _run(town, "apply", {"key": "old", "name": "Old again"})[1][0][0] == "restore"
    assert (town.get("/groups/old")["state"], town.get("/groups/old")["name"]) == ("active", "Old again")


def test_groups_written_out_are_no_change(town: Living) -> None:
    town.local.post("/groups", json={"name": "Written", "key": "written", "tags": ["x"], "definition": _FRENCH})
    status, document = town.command("groups", "yaml", "written")
    assert (status, document["groups"]) == (
        0,
        [{"key": "written", "name": "Written", "tags": ["x"], "definition": _FRENCH}],
    )
    assert _run(town, "plan", *document["groups"])[1][0][0] == "none"


@pytest.mark.parametrize(
    ("groups", "code"),
    [
        ([{"name": "x"}], "plan_invalid"),
        ([{"key": "x", "colour": "red"}], "plan_invalid"),
        ([{"key": "x", "state": "building"}], "plan_invalid"),
        ([{"key": "x"}, {"key": "x"}], "plan_invalid"),
        ([{"key": "x", "definition": {**_ALL, "match": {"group": "x"}}}], "reference_cycle"),
        ([{"key": "x", "definition": {**_ALL, "match": {"attribute": "contry"}}}], "definition_invalid"),
    ],
)
def test_file_that_cannot_be_meant_is_refused(town: Living, groups: list[Document], code: str) -> None:
    assert _refusal(town, json.dumps({"version": 1, "groups": groups})) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "file_unreadable"), ("[]", "plan_invalid"), ('{"version": 2, "groups": []}', "plan_invalid")],
)
def test_file_that_is_no_plan_is_refused(town: Living, text: str, code: str) -> None:
    assert _refusal(town, text) == code


def _refusal(town: Living, text: str) -> str:
    file = town.home / "refused.yaml"
    file.write_text(text, encoding="utf-8")
    ended = muster(town.environment, "plan", str(file))
    assert ended.returncode == 1
    return ended.stderr.partition("[")[2].partition("]")[0]
