"""The pages of groups as somebody who is logged in sees them: the list, and the box that asks why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.integration.groups.conftest import up_to
from tests.integration.groups.test_known_groups import apply, judge
from tests.integration.living import Document, Living

Make = Callable[..., Document]
_OWNER = {
    "email": "alice@example.com",
    "password": "correct horse battery",
    "organisation": "Example",
    "language": "en",
    "time_zone": "UTC",
    "currency": "EUR",
}


@pytest.fixture(scope="module")
def browser(town: Living) -> Iterator[httpx.Client]:
    """Through the one-time link, as on the first day."""
    with httpx.Client(base_url=town.server.address, timeout=60) as client:
        form = client.get("/setup", params={"token": town.server.setup_token}).text
        [csrf] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        sent = {**_OWNER, "token": town.server.setup_token, "csrfmiddlewaretoken": csrf}
        done = client.post("/setup", data=sent, headers={"Referer": town.server.address})
        assert done.status_code == 302, done.text
        yield client


def test_list_tells_what_a_known_group_is(town: Living, browser: httpx.Client, testers: str) -> None:
    apply(town, judge(town, testers, text="u1@example.com later@example.com"))
    assert "List with 2 entries, 1 of them waiting" in browser.get("/groups/").text
    german = browser.get("/", headers={"Accept-Language": "de"})
    assert german.status_code == 200


def test_box_names_the_entries_of_a_list(town: Living, browser: httpx.Client, testers: str) -> None:
    apply(town, judge(town, testers, text="U1@example.com"))
    for customer, said in (("external:u1", "U1@example.com"), ("external:u2", "No entry of the list names")):
        page = browser.get("/why", params={"group": testers, "customer": customer})
        assert (page.status_code, said in page.text) == (200, True)


def test_box_explains_a_segment_and_says_who_is_unknown(town: Living, browser: httpx.Client, make: Make) -> None:
    make("explained", up_to(40))
    page = browser.get("/why", params={"group": "explained", "customer": "external:u1"})
    assert (page.status_code, "is a member" in page.text) == (200, True)
    unknown = browser.get("/why", params={"group": "explained", "customer": "external:nobody"})
    assert (unknown.status_code, "external:nobody" in unknown.text) == (422, True)
