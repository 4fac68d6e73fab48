"""Known user groups: lists that come in, are undone, match customers and go out again (groups spec, section 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.groups.conftest import in_group, up_to
from tests.integration.living import Document, Living, csv_of, problem
from tests.integration.processes import wait_until

Make = Callable[..., Document]
_NEWCOMERS = {"kind": "customers", "row": {"external_id": "id", "email": "email"}}


def begin(town: Living, group: str, *, file: bytes | None = None, **fields: str) -> httpx.Response:
    return town.local.post(
        f"/groups/{group}/imports", data=fields, files={"file": ("list.csv", file)} if file is not None else None
    )


def judge(town: Living, group: str, *, file: bytes | None = None, **fields: str) -> Document:
    begun = begin(town, group, file=file, **fields)
    assert begun.status_code == 202, begun.text
    town.finish(begun.json()["job"]["id"])
    return town.get(f"/imports/{begun.json()['id']}")


def apply(town: Living, checked: Document, **options: Any) -> Document:
    applied = town.post(f"/imports/{checked['id']}/apply", options, 202)
    assert town.finish(applied["job"]["id"])["state"] == "done"
    return town.get(f"/imports/{checked['id']}")


def export(town: Living, group: str) -> str:
    answer = town.local.get(f"/groups/{group}/export")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return answer.text


def _numbers(town: Living, group: str) -> tuple[int, int, int]:
    shown = town.get(f"/groups/{group}")
    return shown["size"], shown["entries"], shown["pending"]


def test_pasted_list_is_judged_then_applied(town: Living, testers: str) -> None:
    """G-24, G-25, G-21: of a known group every number is told."""
    pasted = "u1@example.com, U2@Example.com;someone@else.example\nAnn <u3@example.com> u1@example.com nonsense"
    checked = judge(town, testers, text=pasted)
    assert checked["counts"] == {"new": 3, "pending": 1, "duplicate_in_file": 1, "invalid": 1}
    assert _numbers(town, testers) == (0, 0, 0)
    rows = [(one["row"], one["verdict"], one["reason"], one["value"]) for one in town.verdicts(checked["id"])]
    assert rows == [
        (1, "new", None, "u1@example.com"),
        (2, "new", None, "U2@Example.com"),
        (3, "pending", None, "someone@else.example"),
        (4, "new", None, "u3@example.com"),
        (5, "duplicate_in_file", None, "u1@example.com"),
        (6, "invalid", "not_an_address", "nonsense"),
    ]
    refused = town.local.post(f"/imports/{checked['id']}/apply", json={})
    assert problem(refused) == (422, "import_invalid_rows")
    assert apply(town, checked, max_invalid=1)["state"] == "done"
    assert _numbers(town, testers) == (3, 4, 1)
    assert (town.get(f"/groups/{testers}")["state"], "small" in town.get(f"/groups/{testers}")) == ("active", False)
    why = town.get(f"/groups/{testers}/explain", customer="external:u2")
    assert (why["member"], why["entries"]) == (True, ["U2@Example.com"])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_undo_restores_the_list_byte_for_byte(town: Living, testers: str, encoding: str) -> None:
    """G-24, G-25"""
    apply(town, judge(town, testers, text="u1@example.com old@else.example cus_1"))
    before = export(town, testers)
    text = "Name;E-Mail\r\nJörg;jörg@müller.example\r\nU Five;u5@example.com\r\nU Two;u2@example.com\r\n"
    checked = judge(town, testers, file=text.encode(encoding), mode="replace")
    assert (checked["facts"]["column"], checked["facts"]["leaving"]) == ("E-Mail", 3)
    assert checked["counts"] == {"new": 2, "pending": 1}
    unconfirmed = town.local.post(f"/imports/{checked['id']}/apply", json={})
    assert problem(unconfirmed) == (409, "confirmation_needed")
    assert (unconfirmed.json()["leaving"], unconfirmed.json()["entries"]) == (3, 3)
    apply(town, checked, confirm=True)
    assert export(town, testers) == "entry\r\njörg@müller.example\r\nu5@example.com\r\nu2@example.com\r\n"
    undone = town.post(f"/imports/{checked['id']}/undo", None, 202)
    assert town.finish(undone["job"]["id"])["state"] == "done"
    assert town.get(f"/imports/{checked['id']}")["state"] == "undone"
    assert export(town, testers) == before
    assert [one["cause"] for one in town.get(f"/groups/{testers}/changes")["items"]] == ["undo", "list", "list", "list"]


def test_pending_address_joins_when_its_customer_comes(town: Living, testers: str, make: Make) -> None:
    """G-23, and the segments that refer to the list follow."""
    make("referring", in_group(testers))
    apply(town, judge(town, testers, text="u1@example.com newcomer@example.com"))
    assert _numbers(town, testers) == (1, 2, 1)
    imported = town.bring_in(csv_of("id,email", "n1,Newcomer@Example.com", "n2,newcomer@example.com"), _NEWCOMERS)
    assert _numbers(town, testers) == (3, 2, 0)
    undone = town.post(f"/imports/{imported['id']}/undo", None, 202)
    town.finish(undone["job"]["id"])
    town.settle()
    # Who joins and leaves is told at once; how many entries wait is counted a moment later.
    wait_until(lambda: _numbers(town, testers) == (1, 2, 1))


def test_exported_list_is_imported_without_loss(town: Living, testers: str) -> None:
    """G-26: also what a spreadsheet would run."""
    entries = [
        "=cmd|x@example.com",
        "'quoted@example.com",
        "+tag@example.com",
        "external:u7",
        "cus_2",
        "a,b@example.com",
    ]
    file = "\n".join(["entry", *(f'"{one}"' for one in entries)])
    apply(town, judge(town, testers, file=file.encode()))
    exported = export(town, testers)
    assert [line.strip('"')[:2] for line in exported.splitlines()[1:4]] == ["'=", "''", "'+"]
    other = town.post("/groups", {"name": "Copy", "kind": "known"}, 201)
    again = apply(town, judge(town, other["id"], file=exported.encode()))
    assert sum(again["counts"].values()) == again["items"] == len(entries)
    assert export(town, other["id"]) == exported
    town.local.delete(f"/groups/{other['id']}")


def test_removal_takes_only_who_is_named(town: Living, testers: str) -> None:
    apply(town, judge(town, testers, text="u1@example.com u2@example.com u3@example.com"))
    checked = judge(town, testers, text="U2@example.com u9@example.com", mode="remove")
    assert checked["counts"] == {"removed": 1, "not_a_member": 1}
    apply(town, checked)
    assert export(town, testers).splitlines()[1:] == ["u1@example.com", "u3@example.com"]


def test_list_that_changed_since_the_dry_run_is_not_overwritten(town: Living, testers: str) -> None:
    first = judge(town, testers, text="u1@example.com")
    second = judge(town, testers, text="u2@example.com")
    apply(town, second)
    assert problem(town.local.post(f"/imports/{first['id']}/apply", json={})) == (409, "list_changed")
    third = apply(town, judge(town, testers, text="u3@example.com"))
    job = town.post(f"/imports/{second['id']}/undo", None, 202)["job"]["id"]
    assert town.finish(job)["error"]["code"] == "list_changed"
    for done in (third, second):
        undone = town.local.post(f"/imports/{done['id']}/undo")
        assert undone.status_code == 202, undone.text
        assert town.finish(undone.json()["job"]["id"])["state"] == "done"
    assert _numbers(town, testers) == (0, 0, 0)


def test_frozen_segment_keeps_its_members(town: Living, make: Make) -> None:
    """G-27"""
    make("lively", up_to(40))
    frozen = town.post("/groups/lively/freeze", {"key": "frozen"}, 201)
    assert (frozen["kind"], frozen["size"], frozen["entries"], frozen["pending"]) == ("known", 40, 40, 0)
    segment = town.get("/groups/lively/members", limit=1000)["items"]
    assert town.get("/groups/frozen/members", limit=1000)["items"] == segment
    make("tiny", up_to(3))
    assert problem(town.local.post("/groups/tiny/freeze", json={})) == (409, "group_inactive")
    town.local.delete("/groups/frozen")


def test_lists_are_closed_to_who_may_not_see_members(town: Living, testers: str) -> None:
    reader = town.with_scopes("groups:read", "groups:write", "customers:write")
    assert problem(reader.get(f"/groups/{testers}/export")) == (403, "scope_missing")
    assert problem(reader.post(f"/groups/{testers}/imports", data={"text": "a@b.c"})) == (403, "scope_missing")
    checked = judge(town, testers, text="u1@example.com")
    assert problem(reader.get(f"/imports/{checked['id']}/rows")) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("fields", "file", "code"),
    [
        ({"mode": "merge", "text": "a@b.c"}, None, "value_not_allowed"),
        ({"ids": "phone", "text": "a@b.c"}, None, "value_not_allowed"),
        ({}, None, "value_not_allowed"),
        ({"column": "mail"}, b"email,name\na@b.c,Ann\n", "column_unknown"),
        ({}, b"name,city\nAnn,Oslo\n", "column_unknown"),
        ({}, b"", "file_unreadable"),
    ],
)
def test_request_that_cannot_be_read_says_why(
    town: Living, testers: str, fields: dict[str, str], file: bytes | None, code: str
) -> None:
    assert problem(begin(town, testers, file=file, **fields)) == (422, code)


def test_segment_takes_no_list_and_list_no_definition(town: Living, testers: str, make: Make) -> None:
    make("ruled", up_to(40))
    assert problem(begin(town, "ruled", text="a@b.c")) == (422, "value_not_allowed")
    edited = town.local.patch(f"/groups/{testers}", json={"definition": up_to(3)}, headers={"If-Match": '"1"'})
    assert problem(edited) == (422, "value_not_allowed")
    assert problem(town.local.post("/groups", json={"name": "x", "kind": "list"})) == (422, "value_not_allowed")
