"""The pages of a segment: what each shows, and to whom (dashboard spec, section 4.3)."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from django.test import Client

from muster.groups.models import Group
from muster.groups.terms import Kind, State
from tests.integration.groups.conftest import NOW, in_group, up_to
from tests.integration.living import Document, Living
from tests.integration.pages import Browser
from tests.integration.processes import muster

Make = Callable[..., Document]
_PASSWORD = "correct horse battery"
TABS = ("", "changes/", "compare/", "used-by/", "history/", "health/", "api/")


@pytest.fixture
def forty(make: Make) -> str:
    make("forty", up_to(40), tags=["sale"])
    return "/groups/forty/"


def _shows(browser: Browser, address: str, *texts: str, **parameters: str) -> str:
    page = browser.get(address, params=parameters or None)
    assert (page.status_code, [text for text in texts if text not in page.text]) == (200, []), page.text
    return page.text


def test_overview_tells_size_share_and_comparison(browser: Browser, forty: str) -> None:
    # 40 of the 54 people who are available; u1 alone bought something, for 12.50.
    page = _shows(
        browser, forty, "<h1>Forty</h1>", "Customers of Notes", "74.1%", "of 54 available customers", "sale",
        "40 customers; the size is known since", "€0.31", "everyone €0.23", "Compared with everyone", "Country",
    )  # fmt: skip  # a table, read by rows
    assert re.findall(r"<dt>(France|Germany)</dt>", page) == ["France", "Germany"]
    assert " style=" not in page


def test_markets_are_a_map_and_a_table(browser: Browser, forty: str) -> None:
    """D-6, D-33: thirty of the forty live in France, ten in Germany."""
    page = _shows(browser, forty, "By market", "Share of customers by market; the largest is France.")
    assert re.findall(r'<use class="m(\d)" href="/static/map[^"#]*\.svg#(\w+)"/?>(?:<title>([^<]+)<)?', page) == [
        ("0", "world", ""),
        ("6", "FR", "France 75%"),
        ("2", "DE", "Germany 25%"),
    ]
    table = page.split("By market")[1]
    assert re.findall(r'<th scope="row">(\w+)</th><td class="r"[^>]*>(\d+)<', table) == [
        ("France", "30"),
        ("Germany", "10"),
    ]


def test_period_is_in_the_address(browser: Browser, forty: str) -> None:
    for asked, current in (("30", "30"), ("90", "90"), ("365", "365"), ("7", "90"), ("", "90")):
        page = browser.get(forty, params={"period": asked})
        assert re.findall(r'href="\?period=(\d+)" aria-current="true"', page.text) == [current]


def test_members_are_listed_and_lead_to_why(browser: Browser, forty: str) -> None:
    page = _shows(browser, f"{forty}members/")
    customers = re.findall(r'/why\?group=forty&amp;customer=(cus_\w+)"', page)
    assert len(customers) == 40
    why = _shows(browser, "/why", group="forty", customer=customers[0])
    export = re.findall(r'href="([^"]+)/export"', page)[0]
    assert browser.get(f"{export}/export").text.split() == ["id", *customers]
    assert len(re.findall(r"<option value=\"\w+\" selected>Forty<", why)) == 1


def test_members_go_page_by_page(town: Living, browser: Browser, make: Make) -> None:
    make("all", {"version": 1, "app": "notes", "match": {"everyone": True}})
    first = _shows(browser, "/groups/all/members/")
    [following] = re.findall(r'href="(\?cursor=[^"]+)" rel="next"', first)
    second = _shows(browser, f"/groups/all/members/{following}", "From the beginning")
    shown = [re.findall(r'mono">(cus_\w+)<', page) for page in (first, second)]
    assert (len(shown[0]), len(shown[1])) == (50, 4)
    assert shown[0] + shown[1] == town.get("/groups/all/members", limit=100)["items"]


def test_members_are_searched_exactly(town: Living, browser: Browser, forty: str) -> None:
    """D-13: by an id or an address, never by a part of one."""
    inside, outside = (town.get("/customers", search=f"external:u{n}")["items"][0]["id"] for n in (7, 50))
    for text in ("u7", "external:u7", inside, "u7@example.com"):
        page = _shows(browser, f"{forty}members/", f'value="{text}"', customer=text)
        assert re.findall(r'<th scope="row" class="mono">(\w+)<', page) == [inside]
    page = _shows(browser, f"{forty}members/", "is not in it now.", customer="u50")
    assert f"/why?group=forty&amp;customer={outside}" in page
    _shows(browser, f"{forty}members/", "was not in it then.", customer="u50", as_of="2999-01-01T00:00")
    _shows(browser, f"{forty}members/", "Nobody has the id or address “u”.", customer="u")


def test_segment_is_frozen_from_its_actions(town: Living, browser: Browser, forty: str, make: Make) -> None:
    """G-27: the copy stays as it is; a Small group has none."""
    assert f'href="{forty}manage/#freeze"' in browser.get(forty).text
    _shows(browser, f"{forty}manage/", 'id="freeze"')
    done = browser.post(f"{forty}manage/", {"do": "freeze", "copy": "Forty of spring"})
    assert (done.status_code, done.headers["Location"]) == (302, "/groups/forty-of-spring/")
    frozen = town.get("/groups/forty-of-spring")
    assert (frozen["kind"], frozen["size"]) == ("known", 40)
    make("few", up_to(3))
    assert "is too small to be frozen" in _shows(browser, "/groups/few/manage/", 'aria-describedby="no-freeze"')
    town.local.delete("/groups/forty-of-spring").raise_for_status()


def test_members_as_of_a_past_instant(browser: Browser, forty: str) -> None:
    now = _shows(browser, f"{forty}members/", "Members as recorded on", as_of="2999-01-01T00:00")
    assert len(re.findall(r'mono">(cus_\w+)<', now)) == 40
    for wrong, said in (("yesterday", "is no day and time"), ("1999-01-01T00:00", "The memory of")):
        page = browser.get(f"{forty}members/", params={"as_of": wrong})
        assert (page.status_code, said in page.text, f'value="{wrong}"' in page.text) == (422, True, True)


def test_changes_and_history_say_what_happened(town: Living, browser: Browser, forty: str) -> None:
    town.local.patch("/groups/forty", json={"definition": up_to(45)}, headers={"If-Match": '"1"'}).raise_for_status()
    page = _shows(browser, f"{forty}changes/", "Definition saved")
    assert re.findall(r'<td class="r">\+(\d+)</td>', page) == ["5", "40"]
    newest = re.findall(r'href="(/groups/forty/changes/\d+/)"', page)[0]
    changed = _shows(browser, newest, "Definition saved", "Nobody")
    assert len(re.findall(r">cus_\w+</a>", changed)) == 5
    for nothing in (10**30, "9" * 5_000, "first"):
        assert browser.get(f"{forty}changes/{nothing}/").status_code == 404
    page = _shows(browser, f"{forty}history/", "command line")
    versions = re.findall(r"at most (\d+)", page.split("<tbody>")[1])
    assert versions == ["45", "40"]


def test_overlap_counts_exactly_these_groups(browser: Browser, forty: str, make: Make) -> None:
    make("all", {"version": 1, "app": "notes", "match": {"everyone": True}})
    # Of 54 available people 40 are in both, 14 in one.
    page = browser.get(f"{forty}compare/", params={"with": "all"})
    assert re.findall(r'<td class="r">(\w+)</td>', page.text) == ["40", "14"]
    make("none", up_to(0))
    page = browser.get(f"{forty}compare/", params={"with": "none"})
    assert re.findall(r'<th scope="col"[^>]*>(\w+)</th>', page.text) == ["Forty", "None", "Customers"]
    unknown = browser.get(f"{forty}compare/", params={"with": "nobody"})
    assert (unknown.status_code, "group_unknown" in unknown.text) == (404, True)


def test_used_by_leads_to_the_user(browser: Browser, forty: str, make: Make) -> None:
    _shows(browser, f"{forty}used-by/", "None does")
    other = make("other", in_group("forty"))
    _shows(browser, f"{forty}used-by/", f'href="/groups/{other["id"]}/">Other<', "Used by 1")
    _shows(browser, f"/groups/{other['id']}/", "<h1>Other</h1>")


def test_health_and_api_answer(town: Living, browser: Browser, forty: str) -> None:
    town.finish(town.post("/groups/refresh", status=202)["job"]["id"])
    _shows(browser, f"{forty}health/", "Last evaluated", "Evaluations so far", "Refresh of all segments")
    identifier = town.get("/groups/forty")["id"]
    page = _shows(browser, f"{forty}api/", identifier, f"{town.server.address}/api/v1/groups/forty", "tags:\n  - sale")
    assert "&quot;op&quot;: &quot;lte&quot;" in page


def test_refresh_evaluates_anew(town: Living, browser: Browser, forty: str) -> None:
    before = town.get("/groups/forty")["refreshed_at"]
    done = browser.post("/groups/forty/refresh", {})
    assert (done.status_code, done.headers["Location"]) == (302, "/groups/forty/")
    assert town.get("/groups/forty")["refreshed_at"] > before
    refused = browser.post("/groups/forty/restore", {})
    assert (refused.status_code, "state_not_allowed" in refused.text) == (422, True)


def test_small_group_shows_no_figures(browser: Browser, make: Make) -> None:
    make("few", up_to(13))
    page = _shows(
        browser, "/groups/few/", "Small", "fewer than 25", "A small segment is not compared", "Inactive: it cannot"
    )
    assert re.findall(r'class="big">([^<]*(?:<span[^>]*>[^<]*</span>)?)', page) == [
        '<span title="Fewer customers than may be told">Small</span>',
        "–",
        "–",
        "–",
        "–",
    ]
    assert '<svg class="plot"' not in page
    _shows(browser, "/groups/few/changes/", "Small")
    listed = _shows(browser, "/groups/few/members/", "Small: its members are not listed")
    assert re.findall(r"cus_\w+", listed.split("<main")[1]) == ["cus_2f"] * listed.split("<main")[1].count("cus_2f")


@pytest.mark.parametrize("tab", [*TABS, "members/"])
def test_pages_work_in_every_language(browser: Browser, forty: str, tab: str) -> None:
    for language in ("de", "fr"):
        page = browser.get(f"{forty}{tab}", headers={"Accept-Language": language})
        assert (page.status_code, " style=" in page.text, "<script>" in page.text) == (200, False, False)


@pytest.mark.parametrize("tab", TABS)
def test_draft_and_archived_segments_have_pages(town: Living, browser: Browser, make: Make, tab: str) -> None:
    make("draft", up_to(40), active=False)
    _shows(browser, f"/groups/draft/{tab}", "Draft", "never evaluated", "Activate")
    make("old", up_to(40))
    town.post("/groups/old/archive")
    _shows(browser, f"/groups/old/{tab}", "Archived", "Restore")


def test_viewer_sees_no_members_and_may_not_refresh(town: Living, browser: Browser, forty: str) -> None:
    made = muster(town.environment, "vera@example.com", _PASSWORD, command="tests.integration.viewer_process")
    assert made.returncode == 0, made.stderr
    with httpx.Client(base_url=town.server.address, timeout=60) as client:
        viewer = Browser(client)
        viewer.log_in("vera@example.com", _PASSWORD)
        page = _shows(viewer, forty, "40 customers", "Needs permission groups:write; an owner can grant it.")
        assert "/groups/forty/members/" not in page
        assert viewer.get(f"{forty}members/").status_code == 403
        change = town.get("/groups/forty/changes")["items"][0]["id"]
        assert viewer.get(f"{forty}changes/{change}/").status_code == 403
        for tab in TABS:
            assert "cus_" not in _shows(viewer, f"{forty}{tab}")
        refused = viewer.post("/groups/forty/refresh", {})
        assert (refused.status_code, "scope_missing" in refused.text) == (403, True)


def test_unknown_groups_and_pages_are_not_found(browser: Browser, forty: str) -> None:
    for address in ("/groups/nobody/", "/groups/nobody/api/", f"{forty}nothing/"):
        assert browser.get(address).status_code == 404


@pytest.mark.parametrize("tab", [*TABS, "members/"])
def test_outsider_is_sent_to_log_in(town: Living, forty: str, tab: str) -> None:
    answer = httpx.get(f"{town.server.address}{forty}{tab}")
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/login")


def test_failed_segment_says_why_and_offers_to_retry(as_alice: Client) -> None:
    """Its definition names an attribute that is gone, so there is no sentence."""
    definition = {"version": 1, "match": {"attribute": "gone", "op": "is", "value": "x"}}
    row = Group.objects.create(
        id="grp_1",
        key="broken",
        name="Broken",
        kind=Kind.SEGMENT,
        state=State.FAILED,
        definition=definition,
        failure="There is no attribute `gone`.",
        created_at=NOW,
        updated_at=NOW,
    )
    row.versions.create(revision=1, name="Broken", definition=definition, saved_at=NOW, saved_by="alice@example.com")
    for tab in (*(tab for tab in TABS if tab), "members/"):
        page = as_alice.get(f"/groups/broken/{tab}")
        said = page.content.decode()
        assert (page.status_code, "There is no attribute `gone`." in said) == (200, True)
        assert re.findall(r'action="(/groups/[^"]+)"', said) == ["/groups/broken/retry"]
    assert "names something that is gone" in as_alice.get("/groups/broken/history/").content.decode()


def test_known_groups_have_no_pages_of_segments(as_alice: Client) -> None:
    Group.objects.create(
        id="grp_1", key="listed", name="Listed", kind=Kind.KNOWN, state=State.ACTIVE, created_at=NOW, updated_at=NOW
    )
    for tab in (*(tab for tab in TABS if tab), "members/"):
        assert as_alice.get(f"/groups/listed/{tab}").status_code == 404
