"""Groups that are ticked in their table: tags, archive, comparison, what was not done, and undo."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest
from django.test import Client

from muster.kernel.clock import system_clock
from tests.integration.groups.conftest import in_group, up_to
from tests.integration.groups.rows import stored_group
from tests.integration.living import Document, Living
from tests.integration.pages import Browser
from tests.integration.personas import Sender, owner_of, viewer_of

Make = Callable[..., Document]
Report = list[tuple[str, str, str]]


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(town: Living, owner: Browser) -> Iterator[Browser]:
    with viewer_of(town) as browser:
        yield browser


def _after(browser: Browser) -> tuple[str, str, Report]:
    """What the next page says was done, where that is undone, and what was not done."""
    page = browser.get("/groups/").text
    done = re.findall(r'action="(/undo/[^"]+)".*?<span>(.*?)</span>', page, re.DOTALL)
    refused = re.findall(r"<li><b>(.*?)</b> · (.*?)(?: <span[^>]*>(\w+)</span>)?</li>", page)
    address, text = done[0] if done else ("", "")
    return unescape(text), address, [(name, unescape(reason), code) for name, reason, code in refused]


def _tags(town: Living, *keys: str) -> list[list[str]]:
    return [town.get(f"/groups/{key}")["tags"] for key in keys]


def _states(town: Living, *keys: str) -> list[str]:
    return [town.get(f"/groups/{key}")["state"] for key in keys]


def test_tag_is_added_told_and_undone(town: Living, make: Make, owner: Browser) -> None:
    """D-32, D-38"""
    one, two = make("one", up_to(40), tags=["sale"]), make("two", up_to(41), tags=["new"])
    sent = {"do": "tag", "tag": " sale ", "group": [one["id"], two["id"], "grp_gone"]}
    done = owner.post("/groups/?sort=-name", sent)
    assert (done.status_code, done.headers["location"]) == (302, "/groups/?sort=-name")
    assert _tags(town, "one", "two") == [["sale"], ["new", "sale"]]
    text, address, refused = _after(owner)
    assert text == "1 group has the tag “sale” now."
    assert sorted(refused) == [
        ("One", "It has this tag already.", ""),
        ("grp_gone", "This group is not there any more.", "group_unknown"),
    ]
    assert _after(owner) == ("", "", [])
    assert owner.post(address, {}).status_code == 302
    assert _tags(town, "one", "two") == [["sale"], ["new"]]


def test_tag_is_taken_away_and_what_was_changed_since_stays(town: Living, make: Make, owner: Browser) -> None:
    groups = [make(key, up_to(40), tags=["old", "sale"]) for key in ("one", "two")]
    owner.post("/groups/", {"do": "untag", "tag": "sale", "group": [one["id"] for one in groups]})
    assert _tags(town, "one", "two") == [["old"], ["old"]]
    text, address, refused = _after(owner)
    assert (text, refused) == ("2 groups have lost the tag “sale”.", [])
    town.local.patch("/groups/two", json={"name": "Zwei"}, headers={"If-Match": '"2"'}).raise_for_status()
    stale = owner.post(address, {})
    assert (stale.status_code, "“Zwei” was changed." in stale.text) == (409, True)
    assert _tags(town, "one", "two") == [["old"], ["old"]]


def test_archive_says_what_stayed_and_why(town: Living, make: Make, owner: Browser) -> None:
    """What only the others of the selection use is archived after them; all come back together."""
    used, other = make("used", up_to(40)), make("other", up_to(41))
    user = make("user", in_group("used"))
    make("stays", in_group("other"))
    owner.post("/groups/", {"do": "archive", "group": [used["id"], other["id"], user["id"]]})
    assert _states(town, "used", "user", "other") == ["archived", "archived", "active"]
    text, address, refused = _after(owner)
    reason = "“Other” cannot be archived: it is used by segment “Stays”. Remove it there first."
    assert (text, refused) == ("2 groups are archived.", [("Other", reason, "in_use")])
    owner.post(address, {})
    assert _states(town, "used", "user") == ["active", "active"]
    assert [town.get(f"/groups/{key}")["size"] for key in ("used", "user")] == [40, 40]
    owner.post("/groups/", {"do": "archive", "group": [user["id"], used["id"]]})
    _text, address, _refused = _after(owner)
    town.post("/groups/used/restore", {}, 200)
    stale = owner.post(address, {})
    assert (stale.status_code, "“Used” is not archived any more." in stale.text) == (409, True)
    assert _states(town, "used", "user") == ["active", "archived"]


def test_all_pages_are_chosen_only_by_their_number(town: Living, make: Make, owner: Browser) -> None:
    keys = [f"g{number:02}" for number in range(27)]
    for key in keys:
        make(key, up_to(40), tags=["many"])
    make("other", up_to(41))
    assert 'name="all" value="27"' in owner.get("/groups/?tag=many").text
    refused = owner.post("/groups/?tag=many", {"do": "archive", "all": "26"})
    assert (refused.status_code, "There are 27 groups now." in refused.text) == (422, True)
    owner.post("/groups/?tag=many", {"do": "tag", "tag": "all", "all": "27", "group": "ignored"})
    assert _after(owner)[0] == "27 groups have the tag “all” now."
    assert [tags for tags in _tags(town, *keys, "other") if "all" not in tags] == [[]]


def test_refused_selection_keeps_what_was_ticked(make: Make, owner: Browser) -> None:
    """D-39"""
    one = make("one", up_to(40))
    for sent, message in (
        ({"do": "archive"}, "Tick the groups first."),
        ({"do": "tag", "tag": " ", "group": one["id"]}, "Write the tag first."),
        ({"do": "tag", "tag": "x" * 51, "group": one["id"]}, "At most 20 tags of 1 to 50 characters."),
        ({"do": "nothing", "group": one["id"]}, "Send `do` as"),
    ):
        refused = owner.post("/groups/", sent)
        assert (refused.status_code, message in refused.text) == (422, True)
        assert (f'value="{one["id"]}" aria-label="Choose One" checked' in refused.text) == ("group" in sent)
        assert ('aria-invalid="true"' in refused.text) == ("tag" in sent)


def test_refused_selection_leads_on_as_the_table_does(owner: Browser, make: Make) -> None:
    make("one", up_to(40))
    page = owner.post("/groups/?sort=-name", {"do": "archive"}).text
    assert 'name="next" value="/groups/?sort=-name"' in page
    assert 'action="/groups/?sort=-name"' in page


def test_list_is_archived_and_comes_back(town: Living, owner: Browser) -> None:
    made = town.post("/groups", {"key": "testers", "name": "Testers", "kind": "known"}, 201)
    owner.post("/groups/", {"do": "archive", "group": made["id"]})
    assert _states(town, "testers") == ["archived"]
    again = owner.post("/groups/?state=archived", {"do": "archive", "group": made["id"]})
    text, address, refused = _after(owner)
    assert (again.status_code, text, [code for *_, code in refused]) == (
        302,
        "1 group is archived.",
        ["state_not_allowed"],
    )
    owner.post(address, {})
    assert _states(town, "testers") == ["active"]
    town.local.delete("/groups/testers").raise_for_status()


def test_viewer_reads_why_and_may_compare(make: Make, owner: Browser, viewer: Browser) -> None:
    """D-42"""
    groups = [make(key, up_to(size))["id"] for key, size in (("one", 40), ("two", 30))]
    page = viewer.get("/groups/").text
    assert page.count('aria-disabled="true" aria-describedby="no-many"') == 2
    assert '<small id="no-many">Needs permission groups:write; an owner can grant it.</small>' in page
    for do in ("archive", "tag"):
        refused = viewer.post("/groups/", {"do": do, "tag": "x", "group": groups})
        assert (refused.status_code, "groups:write" in refused.text) == (403, True)
    led = viewer.post("/groups/", {"do": "compare", "group": groups}).headers["location"]
    assert led == f"/groups/compare?group={groups[0]}&group={groups[1]}"


def test_groups_of_any_kind_are_compared(town: Living, make: Make, owner: Browser) -> None:
    """G-19: the address says which."""
    make("forty", up_to(40))
    make("thirty", up_to(30))
    assert "Choose two to six groups." in owner.get("/groups/compare").text
    page = owner.get("/groups/compare?group=forty&group=thirty").text
    assert re.findall(r'<th scope="col">([^<]+)<', page) == ["Forty", "Thirty"]
    assert re.findall(r'<td class="r">\s*([^<\s]+)', page) == ["30", "10"]
    alone = owner.get("/groups/compare?group=forty")
    assert (alone.status_code, "An overlap is of 2 to 6 groups; 1 were named." in alone.text) == (422, True)
    assert owner.get("/groups/compare?group=forty&group=nothing").status_code == 404


def test_tags_of_one_group_are_edited_and_undone(town: Living, make: Make, owner: Browser) -> None:
    """D-38"""
    make("one", up_to(40), tags=["a, b", "sale"])
    page = owner.get("/groups/one/manage/").text
    assert re.findall(r"<textarea[^>]*>([^<]*)<", page) == ["a, b\nsale"]
    owner.post("/groups/one/manage/", {"do": "tags", "tags": "a, b\r\n\r\n neu ", "revision": "1"})
    assert _tags(town, "one") == [["a, b", "neu"]]
    text, address, _refused = _after(owner)
    assert text == "“One” has other tags now."
    owner.post(address, {})
    assert _tags(town, "one") == [["a, b", "sale"]]
    refused = owner.post("/groups/one/manage/", {"do": "tags", "tags": "x" * 51, "revision": "3"})
    assert (refused.status_code, "x" * 51 in refused.text) == (422, True)
    assert owner.post("/groups/one/manage/", {"do": "tags", "tags": "x", "revision": "1"}).status_code == 422


@pytest.mark.django_db
def test_long_report_says_how_many_more(as_alice: Client) -> None:
    now = system_clock()
    for number in range(60):
        stored_group(number, now, tags=["sale"])
    done = Sender(as_alice, "/groups/").post("/groups/", {"do": "tag", "tag": "sale", "all": "60"})
    page = as_alice.get(done["Location"]).content.decode()
    assert ("Not done for 60 groups:" in page, page.count("<li><b>"), "and 10 more" in page) == (True, 50, True)
    assert "/undo/" not in page


def _nodes(text: str) -> int:
    return len(re.findall(r"<[a-zA-Z]", text))


@pytest.mark.django_db
def test_fifty_rows_are_few_enough_nodes(as_alice: Client) -> None:
    """Dashboard spec, section 10: 1,500 of a page, of which these leave room for tags."""
    now = system_clock()
    for number in range(60):
        stored_group(number, now)
    assert _nodes(as_alice.get("/groups/?rows=50").content.decode()) < 1480
