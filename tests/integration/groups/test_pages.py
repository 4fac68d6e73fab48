"""The pages of groups as somebody who is logged in sees them: the list, and the box that asks why."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.groups.conftest import up_to
from tests.integration.groups.test_known_groups import apply, judge
from tests.integration.living import Document, Living
from tests.integration.pages import Browser

Make = Callable[..., Document]


def test_list_tells_what_a_known_group_is(town: Living, browser: Browser, testers: str) -> None:
    apply(town, judge(town, testers, text="u1@example.com later@example.com"))
    assert "List with 2 entries, 1 of them waiting" in browser.get("/groups/").text
    german = browser.get("/", headers={"Accept-Language": "de"})
    assert german.status_code == 200


def test_box_names_the_entries_of_a_list(town: Living, browser: Browser, testers: str) -> None:
    apply(town, judge(town, testers, text="U1@example.com"))
    for customer, said in (("external:u1", "U1@example.com"), ("external:u2", "No entry of the list names")):
        page = browser.get("/why", params={"group": testers, "customer": customer})
        assert (page.status_code, said in page.text) == (200, True)


def test_box_explains_a_segment_and_says_who_is_unknown(town: Living, browser: Browser, make: Make) -> None:
    make("explained", up_to(40))
    page = browser.get("/why", params={"group": "explained", "customer": "external:u1"})
    assert (page.status_code, "is a member" in page.text) == (200, True)
    unknown = browser.get("/why", params={"group": "explained", "customer": "external:nobody"})
    assert (unknown.status_code, "external:nobody" in unknown.text) == (422, True)
