"""Every code of the specs' tables, from REST and from the command line alike: one door, one table of errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from muster.warehouse.files.reading import file_digest
from tests.integration.living import Document, Living, csv_of, living

NOT_FOUND, REFUSED = 3, 1


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    """Thirty people of one app; `large` has them all, `user` refers to it, `few` is Small, `idle` a draft."""
    with living(module_environment) as found:
        found.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        people = {"kind": "customers", "row": {"external_id": "id", "traits": {"country": "country"}}}
        rows = [f"u{number},{'FR' if number < 4 else 'DE'}" for number in range(1, 31)]
        found.bring_in(csv_of("id,country", *rows), people)
        events = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
        visits = [f"u{number},app_opened,2026-01-01" for number in range(1, 31)]
        found.bring_in(csv_of("id,event,at", *visits), events)
        for key, match, active in (
            ("large", {"everyone": True}, True),
            ("user", {"group": "large"}, True),
            ("few", {"attribute": "country", "op": "is", "value": "FR"}, True),
            ("idle", {"everyone": True}, False),
        ):
            found.post("/groups", {"key": key, "name": key, "definition": _whole(match), "active": active}, 201)
        yield found


def _whole(match: object) -> Document:
    return {"version": 1, "app": "notes", "match": match}


@dataclass(frozen=True)
class Case:
    """`code` of the problem, `inner` of its first error; what is asked over REST; the command that asks the same."""

    code: str
    status: int
    method: str
    path: str
    command: tuple[str, ...]
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    stdin: Any = None
    inner: str | None = None


def _definition(inner: str, match: object) -> Case:
    body = {"key": "wrong", "name": "wrong", "definition": _whole(match), "tags": []}
    command = ("groups", "create", "wrong", "--definition", "-")
    return Case("definition_invalid", 422, "POST", "/groups", command, body, stdin=_whole(match), inner=inner)


def _edit(code: str, status: int, command: tuple[str, ...], body: Document, revision: int, **more: Any) -> Case:
    return Case(code, status, "PATCH", "/groups/large", command, body, (("If-Match", f'"{revision}"'),), **more)


_FIELD = {"attribute": "country", "op": "is", "value": "FR"}
CASES = [
    _definition("definition_invalid", {"all": []}),
    _definition("unknown_attribute", {**_FIELD, "attribute": "countri"}),
    _definition("unknown_event", {"event": "sesion"}),
    _definition("unknown_group", {"group": "lagre"}),
    _definition("operator_not_allowed", {**_FIELD, "op": "gt"}),
    _definition("value_not_allowed", {"attribute": "age", "op": "gt", "value": "x"}),
    _definition("too_many_conditions", {"any": [{"any": [_FIELD] * 100}, {"any": [_FIELD] * 100}, _FIELD]}),
    _edit("reference_cycle", 422, ("groups", "edit", "large", "--definition", "-"),
          {"definition": _whole({"group": "user"})}, 1, stdin=_whole({"group": "user"})),
    _edit("revision_conflict", 409, ("groups", "edit", "large", "--name", "x", "--revision", "7"), {"name": "x"}, 7),
    _edit("value_not_allowed", 422, ("groups", "edit", "large", "--name", " "), {"name": " "}, 1),
    Case("in_use", 409, "POST", "/groups/large/archive", ("groups", "archive", "large")),
    Case("in_use", 409, "DELETE", "/groups/large", ("groups", "delete", "large")),
    Case("group_inactive", 409, "GET", "/groups/few/members", ("groups", "members", "few")),
    Case("group_inactive", 409, "POST", "/groups/preview", ("groups", "preview", "--definition", "-"),
         {"definition": _whole({"group": "idle"})}, stdin=_whole({"group": "idle"})),
    Case("state_not_allowed", 422, "POST", "/groups/idle/restore", ("groups", "restore", "idle")),
    Case("key_taken", 409, "POST", "/groups", ("groups", "create", "large", "--definition", "-"),
         {"key": "large", "name": "large", "definition": _whole(_FIELD)}, stdin=_whole(_FIELD)),
    Case("value_not_allowed", 422, "GET", "/groups/overlap?ids=large", ("groups", "overlap", "large")),
    Case("group_unknown", 404, "GET", "/groups/none", ("groups", "show", "none")),
    Case("template_unknown", 404, "POST", "/group-templates/none/copy",
         ("groups", "templates", "--copy", "none", "--app", "notes"), {"app": "notes"}),
    Case("cursor_invalid", 400, "GET", "/groups/large/members?cursor=x",
         ("groups", "members", "large", "--cursor", "x")),
    Case("customer_unknown", 404, "GET", "/customers/external:nobody", ("customers", "show", "external:nobody")),
    Case("customer_unknown", 404, "GET", "/groups/large/explain?customer=external:nobody",
         ("groups", "explain", "large", "--customer", "external:nobody")),
    Case("import_unknown", 404, "GET", "/imports/imp_none/rows", ("customers", "imports", "rows", "imp_none")),
    *(Case("import_unknown", 404, "POST", f"/imports/imp_none/{verb}", ("customers", "imports", verb, "imp_none"), {})
      for verb in ("apply", "pause", "cancel", "undo")),
    Case("cursor_invalid", 400, "GET", "/rates?limit=1000&cursor=x", ("catalog", "rates", "list", "--cursor", "x")),
    Case("value_not_allowed", 422, "POST", "/rates",
         ("catalog", "rates", "create", *("--set", "day=2026-01-01", "--set", "currency=USD", "--set", "rate=0")),
         {"rates": [{"day": "2026-01-01", "currency": "USD", "rate": 0}]}),
    Case("app_unknown", 404, "GET", "/apps/none/events", ("catalog", "events", "list", "--app", "none")),
    Case("key_taken", 409, "POST", "/apps", ("catalog", "apps", "create", "--set", "key=notes"), {"key": "notes"}),
    Case("app_unknown", 404, "GET", "/apps/none", ("catalog", "apps", "show", "none")),
    Case("value_not_allowed", 422, "POST", "/apps", ("catalog", "apps", "create", "--set", "key=-a"), {"key": "-a"}),
]  # fmt: skip  # a table, read by rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.inner or case.code} {case.path}")
def test_refusal_is_the_same_from_both_doors(town: Living, case: Case) -> None:
    answer = town.local.request(case.method, case.path, json=case.body, headers=dict(case.headers))
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["status"]) == (case.status, case.code, case.status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    if case.inner:
        assert problem["errors"][0]["code"] == case.inner
    ended, said = town.command(*case.command, stdin=json.dumps(case.stdin) if case.stdin else "")
    assert (ended, said) == (NOT_FOUND if case.status == 404 else REFUSED, problem)


def test_refused_import_is_the_same_from_both_doors(town: Living, tmp_path: Path) -> None:
    """One request each for what a dry run can no longer stand for, and for a verb its state does not have."""
    people = {"kind": "customers", "row": {"external_id": "id"}}
    other = {"kind": "customers", "row": {"external_id": {"column": "id", "strip": "x"}}}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(other), encoding="utf-8")
    (tmp_path / "other.csv").write_bytes(csv_of("id", "b"))
    for code, option, body in (
        ("mapping_changed", ("--mapping", "other.yaml"), {"mapping": other}),
        ("import_expired", ("--file", "other.csv"), {"digest": file_digest(tmp_path / "other.csv")}),
        ("import_state", (), {}),
    ):
        ids = [town.dry_run(csv_of("id", "a"), people)["id"] for _ in range(2)]
        if code == "import_state":
            for one in ids:
                town.post(f"/imports/{one}/cancel")
        answer = town.local.post(f"/imports/{ids[0]}/apply", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        options = [str(tmp_path / word) if word.startswith("other") else word for word in option]
        ended, said = town.command("customers", "imports", "apply", ids[1], *options)
        assert (ended, said) == (REFUSED, json.loads(answer.text.replace(ids[0], ids[1])))


@pytest.mark.parametrize(
    ("code", "content", "mapping"),
    [
        ("mapping_invalid", b"id,at\na,x\n", {"row": {"external_idd": "id"}}),
        ("column_unknown", b"id,at\na,x\n", {"row": {"external_id": "ids"}}),
        ("date_ambiguous", b"id,at\na,03/04/2026\n", {"row": {"external_id": "id", "happened_at": "at"}}),
        ("encoding_unreadable", b"id,at\n\xff,x\n", {"source": {"encoding": "utf-8"}, "row": {"external_id": "id"}}),
        ("file_unreadable", b"", {"row": {"external_id": "id"}}),
    ],
)
def test_refused_file_is_the_same_from_both_doors(
    town: Living, tmp_path: Path, code: str, content: bytes, mapping: Document
) -> None:
    answer = town.upload(content, {"kind": "customers", **mapping})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    file, described = tmp_path / "file.csv", tmp_path / "mapping.yaml"
    file.write_bytes(content)
    described.write_text(yaml.safe_dump(mapping), encoding="utf-8")
    command = ("customers", "import", str(file), "--kind", "customers", "--mapping", str(described))
    assert town.command(*command) == (REFUSED, answer.json())
