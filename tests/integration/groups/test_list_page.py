"""The table of groups: found, filtered, sorted and paged as its address says; what is small stays untold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from muster.kernel.clock import system_clock
from tests.integration.groups.conftest import in_group, up_to
from tests.integration.groups.rows import stored_group
from tests.integration.living import Document, Living
from tests.integration.pages import Browser
from tests.integration.personas import owner_of, viewer_of

Make = Callable[..., Document]


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(town: Living, owner: Browser) -> Iterator[Browser]:
    with viewer_of(town) as browser:
        yield browser


@pytest.fixture
def three(make: Make) -> None:
    """Forty and few people, and a segment that refers to the few."""
    make("forty", up_to(40), tags=["sale"])
    make("few", up_to(3))
    make("uber", {"version": 1, "app": "notes", "match": {"any": [in_group("forty")["match"], {"group": "few"}]}})


def _names(browser: Browser, **wanted: str) -> list[str]:
    """Of the rows of the table, inactive ones not."""
    page = browser.get("/groups/?" + urlencode(wanted)).text
    table = page.split("<tbody>", maxsplit=1)[1].split("</tbody>", maxsplit=1)[0] if "<tbody>" in page else ""
    return re.findall(r'class="name" href="[^"]+">([^<]+)<', table)


@pytest.mark.usefixtures("three")
def test_rows_are_found_filtered_and_sorted(owner: Browser) -> None:
    """D-11, D-28"""
    assert _names(owner) == ["Forty", "Uber"]
    assert _names(owner, sort="-name") == ["Uber", "Forty"]
    assert _names(owner, q="ÜBER") == ["Uber"]
    # What is inside a definition is found too.
    assert _names(owner, q="few any") == ["Uber"]
    assert _names(owner, tag="sale") == ["Forty"]
    assert _names(owner, kind="known") == []
    assert _names(owner, state="inactive") == ["Few"]
    assert _names(owner, app="elsewhere") == []


@pytest.mark.usefixtures("three")
def test_page_says_what_it_does_not_know_and_who_is_inactive(owner: Browser) -> None:
    """D-29"""
    page = owner.get("/groups/?colour=red").text
    assert "This page does not know: colour." in page
    assert "<h2>Inactive segments</h2>" in page
    assert "1, cannot be used until it has at least 25 customers" in page
    assert "No group matches." in owner.get("/groups/?q=nothing-of-that").text


def test_pages_of_the_table_lead_to_each_other(make: Make, owner: Browser) -> None:
    for number in range(27):
        make(f"g{number:02}", up_to(40))
    assert (len(_names(owner)), _names(owner, page="2"), len(_names(owner, rows="50"))) == (25, ["G25", "G26"], 27)
    assert _names(owner, page="99") == ["G25", "G26"]


def test_small_changes_of_a_week_are_told_to_nobody_who_may_not_list(
    town: Living, make: Make, owner: Browser, viewer: Browser
) -> None:
    """D-44: whoever a group began with did not join; five who joined are told to those who may list them."""
    make("forty", up_to(40))

    def week(browser: Browser) -> list[str]:
        cell = re.findall(r'<td class="r c-7[^>]*>(.*?)</td>', browser.get("/groups/").text, re.DOTALL)[0]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cell)).split()

    assert (week(owner), week(viewer)) == (["0", "0"], ["0", "0"])
    town.local.patch("/groups/forty", json={"definition": up_to(45)}, headers={"If-Match": '"1"'}).raise_for_status()
    assert (week(owner), week(viewer)) == (["+5", "0"], ["–"])


def test_template_is_copied_by_those_who_may(town: Living, owner: Browser, viewer: Browser) -> None:
    sent = {"template": "new-customers", "app": "notes"}
    refused = viewer.post("/groups/copy-template", sent)
    assert (refused.status_code, "groups:write" in refused.text) == (403, True)
    made = owner.post("/groups/copy-template", sent)
    assert made.status_code == 302
    assert town.local.delete(made.headers["location"].rstrip("/")).status_code == 204
    assert owner.post("/groups/copy-template", {"template": "nothing", "app": "notes"}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_the_same_questions_whatever_its_length(
    as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    """Dashboard spec, section 10: at most eight, and two of the session and the member."""
    now = system_clock()
    for number in range(count):
        stored_group(number, now)
    assert as_alice.get("/groups/").status_code == 200
    with django_assert_num_queries(8):
        as_alice.get("/groups/")
