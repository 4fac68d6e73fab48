"""What was done to a group is offered to be undone on the next page, once; and groups are found from every page."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.integration.groups.conftest import up_to
from tests.integration.living import Document, Living
from tests.integration.pages import Browser

Make = Callable[..., Document]
MANAGE = "/groups/forty/manage/"


def _offer(browser: Browser) -> str:
    """Where the next page would undo what was done; empty where it offers nothing."""
    found = re.findall(r'action="(/undo/[^"]+)"', browser.get("/groups/forty/").text)
    return found[0] if found else ""


def test_renaming_is_undone_once(town: Living, browser: Browser, make: Make) -> None:
    """D-38"""
    make("forty", up_to(40))
    browser.post(MANAGE, {"do": "rename", "name": "Vierzig", "revision": "1"})
    address = _offer(browser)
    assert _offer(browser) == ""
    done = browser.post(address, {"next": "/groups/forty/"})
    assert (done.status_code, done.headers["location"], town.get("/groups/forty")["name"]) == (
        302,
        "/groups/forty/",
        "Forty",
    )
    assert browser.post(address, {}).status_code == 410


def test_what_was_changed_since_is_not_undone(town: Living, browser: Browser, make: Make) -> None:
    make("forty", up_to(40))
    browser.post(MANAGE, {"do": "rename", "name": "Vierzig", "revision": "1"})
    address = _offer(browser)
    town.local.patch("/groups/forty", json={"name": "Quarante"}, headers={"If-Match": '"2"'}).raise_for_status()
    refused = browser.post(address, {})
    assert (refused.status_code, "undo_stale" in refused.text) == (409, True)
    assert town.get("/groups/forty")["name"] == "Quarante"


def test_archiving_and_restoring_are_undone(town: Living, browser: Browser, make: Make) -> None:
    make("forty", up_to(40))
    browser.post(MANAGE, {"do": "archive"})
    browser.post(_offer(browser), {})
    assert town.get("/groups/forty")["state"] == "active"
    browser.post(MANAGE, {"do": "archive"})
    browser.post(MANAGE, {"do": "restore"})
    away = browser.post(_offer(browser), {"next": "//elsewhere.example/"})
    assert (away.headers["location"], town.get("/groups/forty")["state"]) == ("/", "archived")


def test_discarded_draft_comes_back(browser: Browser) -> None:
    """D-38; a newer draft is not overwritten."""
    new, fields = "/groups/new/segment/", {"name": "Half a thought", "app": "notes"}
    browser.post(new, fields)
    for _ in range(2):
        browser.post(new, {"do": "discard"})
        page = browser.get(new).text
        assert ("The draft was discarded." in page, "Half a thought" in page) == (True, False)
        [address] = re.findall(r'action="(/undo/[^"]+)"', page)
        done = browser.post(address, {"next": new})
        assert (done.headers["location"], "Half a thought" in browser.get(new).text) == (new, True)
    browser.post(new, {"do": "discard"})
    [address] = re.findall(r'action="(/undo/[^"]+)"', browser.get(new).text)
    browser.post(new, {**fields, "name": "Another"})
    refused = browser.post(address, {})
    assert (refused.status_code, "undo_stale" in refused.text, "Another" in browser.get(new).text) == (409, True, True)
    browser.post(new, {"do": "discard"})
    assert "The draft was discarded." in browser.get(new).text
    browser.post(new, {"do": "discard"})
    assert "The draft was discarded." not in browser.get(new).text


def test_nobody_undoes_what_is_not_theirs(browser: Browser) -> None:
    assert browser.post("/undo/und_nothing", {}).status_code == 404


def test_older_version_opens_in_the_builder(town: Living, browser: Browser, make: Make) -> None:
    make("forty", up_to(40))
    town.local.patch("/groups/forty", json={"definition": up_to(30)}, headers={"If-Match": '"1"'}).raise_for_status()
    assert 'href="/groups/forty/edit/?version=1"' in browser.get("/groups/forty/history/").text
    page = browser.get("/groups/forty/edit/?version=1")
    assert (page.status_code, "10 would join, 0 would leave" in page.text) == (200, True)
    for nothing in ("9", "x", "9" * 40):
        assert browser.get(f"/groups/forty/edit/?version={nothing}").status_code == 404


def test_groups_and_pages_are_found(browser: Browser, make: Make) -> None:
    """D-13"""
    make("forty", up_to(40), tags=["Été"])

    def names(text: str) -> list[str]:
        return re.findall(r'class="name" href="[^"]+">([^<]+)<', browser.get(f"/find?q={text}").text)

    assert (names("FORT"), names("ete"), names("jobs")) == (["Forty"], ["Forty"], ["Jobs"])
    assert "Nothing is called “nobody”" in browser.get("/find?q=nobody").text
    assert "Write the name or key" in browser.get("/find").text
