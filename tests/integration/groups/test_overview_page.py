"""The first page: what a new installation is taken through, what wants looking after, what happened last (D-17)."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx

from tests.integration.groups.conftest import in_group, up_to
from tests.integration.living import Document, Living, living
from tests.integration.pages import Browser

Make = Callable[..., Document]


def _open_steps(page: str) -> list[str]:
    box = page.split('aria-labelledby="first-steps"')[1].split("</section>", maxsplit=1)[0]
    return re.findall(r'<a href="[^"]+">([^<]+)</a>', box)


def test_first_steps_go_as_they_are_done(environment: dict[str, str]) -> None:
    with living(environment) as empty, httpx.Client(base_url=empty.server.address, timeout=60) as client:
        browser = Browser(client)
        browser.set_up(empty.server.setup_token)
        assert _open_steps(browser.get("/").text) == [
            "Add an app",
            "Bring in customers",
            "Create a group",
            "Invite a team member",
        ]
        empty.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        assert _open_steps(browser.get("/").text)[0] == "Bring in customers"


def test_what_wants_looking_after_leads_there(town: Living, browser: Browser, make: Make) -> None:
    make("many", up_to(40))
    assert "Nothing: all groups are current" in browser.get("/").text
    make("user", in_group("many"))
    town.local.patch("/groups/many", json={"definition": up_to(3)}, headers={"If-Match": '"1"'}).raise_for_status()
    page = browser.get("/").text
    assert '<a href="/groups/many/">“Many” is used and has too few customers to be.</a>' in page
    assert ("Notes" in page, "Group created" in page, "None runs or waits." in page) == (True, True, True)
