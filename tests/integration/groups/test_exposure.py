"""Whom apps are told that somebody is in a group: what may be set, and what a list forbids (edge spec, E-8)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.groups.conftest import matching, up_to
from tests.integration.living import Document, Living, problem
from tests.integration.pages import Browser

Make = Callable[..., Document]


def group(name: str) -> Document:
    return {"group": name}


def none(*nodes: Document) -> Document:
    return {"none": list(nodes)}


def every(*nodes: Document) -> Document:
    return {"all": list(nodes)}


@pytest.fixture(scope="module", autouse=True)
def staff(town: Living) -> Document:
    """A list; `near` rests on it, `far` rests on `near`, `away` are all who are not on it."""
    made = town.post("/groups", {"key": "staff", "name": "Staff", "kind": "known"}, 201)
    for key, match in (
        ("near", {"any": [group("staff"), {"everyone": True}]}),
        ("far", every(group("near"), {"everyone": True})),
        ("away", none(group("staff"))),
        ("back", none(none(group("staff")))),
        ("twice", none(group("away"))),
        ("beside", every({"everyone": True}, none(group("near")))),
    ):
        town.post("/groups", {"key": key, "name": key.title(), "definition": matching(match)}, 201)
    return made


def set_to(town: Living, key: str, exposure: str, status: int = 200) -> Document:
    told = {"If-Match": f'"{town.get(f"/groups/{key}")["revision"]}"'}
    answer = town.local.patch(f"/groups/{key}", json={"exposure": exposure}, headers=told)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("key", ["staff", "near", "far", "back", "twice"])
def test_group_that_rests_on_a_list_is_never_open(town: Living, key: str) -> None:
    """E-8: directly, through another, and where a `none` of a `none` says it again."""
    refused = set_to(town, key, "open", 422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("exposure_not_allowed", "/exposure")
    assert set_to(town, key, "signed")["exposure"] == "signed"
    assert set_to(town, key, "never")["exposure"] == "never"


@pytest.mark.parametrize("key", ["away", "beside"])
def test_group_that_a_list_only_takes_from_may_be_open(town: Living, key: str) -> None:
    assert set_to(town, key, "open")["exposure"] == "open"
    set_to(town, key, "never")


def test_new_group_is_checked_too(town: Living) -> None:
    definition = matching(group("staff"))
    fields = {"key": "fresh", "name": "Fresh", "exposure": "open", "definition": definition}
    assert problem(town.local.post("/groups", json=fields)) == (422, "exposure_not_allowed")
    known = {"key": "fresh", "name": "Fresh", "exposure": "open", "kind": "known"}
    assert problem(town.local.post("/groups", json=known)) == (422, "exposure_not_allowed")
    assert town.local.get("/groups/fresh").status_code == 404


def test_edit_that_would_open_a_list_through_another_is_refused(town: Living) -> None:
    """E-8: whoever edits learns which group stands in the way; nothing of that is changed for them."""
    town.post("/groups", {"key": "inner", "name": "Inner", "definition": up_to(40)}, 201)
    outer = {"key": "outer", "name": "Outer", "exposure": "open", "definition": matching(group("inner"))}
    made = town.post("/groups", outer, 201)
    told = {"If-Match": f'"{town.get("/groups/inner")["revision"]}"'}
    changed = {"definition": matching(group("staff"))}
    refused = town.local.patch("/groups/inner", json=changed, headers=told)
    assert problem(refused) == (422, "exposure_not_allowed")
    assert (refused.json()["groups"], refused.json()["errors"][0]["pointer"]) == ([made["id"]], "/definition")
    assert "“Outer” is open" in refused.json()["detail"]
    assert town.get("/groups/outer")["exposure"] == "open"
    set_to(town, "outer", "signed")
    assert town.local.patch("/groups/inner", json=changed, headers=told).status_code == 200


def test_archived_group_does_not_come_back_open(town: Living) -> None:
    town.post("/groups", {"key": "base", "name": "Base", "definition": up_to(40)}, 201)
    fields = {"key": "shelf", "name": "Shelf", "exposure": "open", "definition": matching(group("base"))}
    town.post("/groups", fields, 201)
    town.post("/groups/shelf/archive")
    told = {"If-Match": f'"{town.get("/groups/base")["revision"]}"'}
    assert town.local.patch("/groups/base", json={"definition": matching(group("staff"))}, headers=told).is_success
    assert problem(town.local.post("/groups/shelf/restore")) == (422, "exposure_not_allowed")


def test_exposure_is_set_by_command_line(town: Living) -> None:
    status, made = town.command("groups", "create", "shown", "--known", "--exposure", "signed")
    assert (status, made["exposure"]) == (0, "signed")
    status, changed = town.command("groups", "edit", "shown", "--exposure", "never")
    assert (status, changed["exposure"]) == (0, "never")
    status, refused = town.command("groups", "edit", "shown", "--exposure", "open")
    assert (status, refused["code"]) == (1, "exposure_not_allowed")


def test_exposure_is_set_on_the_page_and_taken_back(town: Living, browser: Browser) -> None:
    page = browser.get("/groups/away/manage/").text
    assert 'value="never" checked' in page
    assert browser.post("/groups/away/manage/", {"do": "exposure", "exposure": "open"}).status_code == 302
    assert town.get("/groups/away")["exposure"] == "open"
    shown = browser.get("/groups/away/").text
    assert "What apps are told of “Away” is changed." in shown
    assert browser.post("/groups/away/manage/", {"do": "exposure", "exposure": "all"}).status_code == 422


def test_page_says_why_a_list_is_not_open(browser: Browser) -> None:
    page = browser.get("/groups/staff/manage/").text
    assert 'value="open" disabled' in page
    assert "“Staff” cannot be open: a list decides who is in it" in page
    refused = browser.post("/groups/staff/manage/", {"do": "exposure", "exposure": "open"})
    assert (refused.status_code, "exposure_not_allowed" in refused.text) == (422, True)
