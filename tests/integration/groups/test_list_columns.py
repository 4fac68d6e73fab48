"""Columns of the table of groups that a member hides; and all its rows as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from muster.groups.models import Group
from muster.groups.terms import Kind, State
from muster.kernel.clock import system_clock
from tests.integration.groups.conftest import up_to
from tests.integration.living import Document, Living
from tests.integration.pages import Browser
from tests.integration.personas import Sender, owner_of, viewer_of

Make = Callable[..., Document]
ALL = ["Name", "Kind", "Customers", "90 days", "7 days", "Freshness", "Used by", "Edited"]


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(town: Living, owner: Browser) -> Iterator[Browser]:
    with viewer_of(town) as browser:
        yield browser


@pytest.fixture
def one_group(db: None) -> None:
    now = system_clock()
    Group.objects.create(
        id="grp_1", key="g1", name="G1", kind=Kind.KNOWN, state=State.ACTIVE, created_at=now, updated_at=now
    )


def _headers(browser: Client) -> list[str]:
    head = browser.get("/groups/").content.decode().split("<thead>")[1].split("</thead>")[0]
    return re.findall(r">([^<>]+)<", re.sub(r"\s+", " ", head).replace("> <", "><"))


@pytest.mark.usefixtures("one_group")
def test_hidden_columns_are_each_members_own(as_alice: Client, as_bob: Client) -> None:
    """D-30: never the first."""
    assert _headers(as_alice) == ALL
    hide = Sender(as_alice, "/groups/")
    kept = hide.post("/columns/groups", {"show": ["size", "uses"], "next": "/groups/?q=g1"})
    assert (kept.status_code, kept["Location"]) == (302, "/groups/?q=g1")
    assert (_headers(as_alice), _headers(as_bob)) == (["Name", "Customers", "Used by"], ALL)
    row = as_alice.get("/groups/").content.decode().split("<tbody>")[1].split("</tbody>")[0]
    assert row.count("<td") == 2
    hide.post("/columns/groups", {"show": ["kind", "size", "trend", "week", "fresh", "uses", "edited"]})
    assert _headers(as_alice) == ALL


@pytest.mark.usefixtures("one_group")
def test_columns_of_no_table_and_addresses_elsewhere_are_refused(as_alice: Client) -> None:
    hide = Sender(as_alice, "/groups/")
    assert hide.post("/columns/nothing", {}).status_code == 404
    assert hide.post("/columns/groups", {"next": "https://elsewhere.example/"})["Location"] == "/"


def _cells(browser: Browser, address: str = "/groups/table.csv") -> list[dict[str, str]]:
    answer = browser.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    text = answer.content.decode("utf-8-sig")
    assert (answer.content[:3], "\r\n" in text) == (b"\xef\xbb\xbf", True)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_all_rows_of_the_filter(make: Make, owner: Browser) -> None:
    """D-31: of every page, in fields whose names stay."""
    for number in range(27):
        make(f"g{number:02}", up_to(40), tags=["odd"] if number % 2 else [])
    rows = _cells(owner)
    assert [row["key"] for row in rows] == [f"g{number:02}" for number in range(27)]
    assert list(rows[0]) == [
        "id", "key", "name", "tags", "kind", "app", "description", "state", "size", "joined_7_days", "left_7_days",
        "used_by", "refreshed_at", "updated_at", "updated_by",
    ]  # fmt: skip  # a table, read by rows
    first = rows[1]
    assert [first[name] for name in ("name", "tags", "kind", "app", "state", "size", "used_by")] == [
        "G01",
        "odd",
        "segment",
        "notes",
        "active",
        "40",
        "0",
    ]
    assert (first["joined_7_days"], first["left_7_days"]) == ("0", "0")
    assert len(_cells(owner, "/groups/table.csv?tag=odd&sort=-name")) == 13
    link = re.findall(r'href="(/groups/table\.csv[^"]*)"', owner.get("/groups/?tag=odd&page=1&rows=50").text)
    assert link == ["/groups/table.csv?tag=odd"]


def test_small_stays_small_in_csv(town: Living, make: Make, owner: Browser, viewer: Browser) -> None:
    make("few", up_to(3))
    make("forty", up_to(40))
    town.local.patch("/groups/forty", json={"definition": up_to(45)}, headers={"If-Match": '"1"'}).raise_for_status()
    (few,) = _cells(viewer, "/groups/table.csv?state=inactive")
    assert (few["name"], few["size"]) == ("Few", "Small")
    weeks = [_cells(browser)[0]["joined_7_days"] for browser in (owner, viewer)]
    assert weeks == ["5", ""]


def test_no_cell_of_the_csv_is_a_formula(make: Make, owner: Browser) -> None:
    make("forty", up_to(40), name="=1+1", tags=["@sum"])
    (row,) = _cells(owner)
    assert (row["name"], row["tags"]) == ("'=1+1", "'@sum")


def test_csv_speaks_the_language_of_the_page(make: Make, owner: Browser) -> None:
    """It is written after the request is over; the owner chose English."""
    make("forty", up_to(40))
    (row,) = _cells(owner)
    title = re.findall(r'<small class="clip" title="([^"]+)">', owner.get("/groups/").text)[0]
    assert row["description"] == title
