"""Finding a customer and the pages of one: what is shown to whom, and what happened page by page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.living import Document, Living, csv_of, living
from tests.integration.pages import Browser
from tests.integration.personas import owner_of, viewer_of
from tests.naughty import NAUGHTY

_PEOPLE: Document = {
    "kind": "customers",
    "row": {
        "external_id": "id",
        "email": "email",
        "happened_at": {"value": "2026-01-01"},
        "traits": {
            "first_name": "first",
            "country": "country",
            "birthday": {"column": "birthday", "type": "date"},
            "points": {"column": "points", "type": "number"},
        },
    },
}
_EVENTS: Document = {
    "kind": "events",
    "app": "notes",
    "row": {
        "external_id": "id",
        "event": "event",
        "happened_at": "at",
        "properties": {"secret": "secret"},
        "device_id": "device",
        "device_model": "model",
        "os": "os",
    },
}
_VISITS: Document = {
    "kind": "events",
    "app": "notes",
    "row": {"anonymous_id": "anon", "event": "event", "happened_at": "at"},
}
_ORDERS: Document = {
    "kind": "orders",
    "app": "notes",
    "row": {
        "external_id": "id",
        "order_id": "order",
        "happened_at": "at",
        "amount": "amount",
        "currency": "currency",
    },
}
_TABS = ("", "timeline/", "privacy/")


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    """u1 has done everything; u2 shares an address with u3; u4 is known by an address; visitor v1 is anonymous."""
    with living(module_environment) as found:
        found.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        people = (
            "u1,ann@example.com,Ann,NO,1990-05-06,7",
            "u2,both@example.com,Bea,DE,,1",
            "u3,Both@Example.com,Cid,FR,,2",
            "dan@example.com,,Dan,,,",
        )
        found.bring_in(csv_of("id,email,first,country,birthday,points", *people), _PEOPLE)
        visits = [f"u1,app_opened,2026-02-{day:02}T10:00:00Z,s3cr3t-{day},d1,iPhone 15,iOS" for day in range(1, 29)]
        visits += [f"u1,Level Up,2026-02-{day:02}T10:00:00Z,s3cr3t-{day},d1,iPhone 15,iOS" for day in range(1, 29)]
        found.bring_in(csv_of("id,event,at,secret,device,model,os", *visits), _EVENTS)
        found.bring_in(csv_of("anon,event,at", "v1,app_opened,2026-02-01"), _VISITS)
        orders = ("u1,o1,2026-02-01T10:00:00Z,12.50,EUR", "u1,o2,2026-02-03T00:00:00Z,1,USD")
        found.bring_in(csv_of("id,order,at,amount,currency", *orders), _ORDERS)
        everybody = {"version": 1, "app": "notes", "match": {"everyone": True}}
        found.post("/groups", {"key": "all", "name": "Everybody <b>", "definition": everybody}, 201)
        found.settle()
        yield found


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(town: Living, owner: Browser) -> Iterator[Browser]:
    with viewer_of(town) as browser:
        yield browser


@pytest.fixture(scope="module")
def ann(town: Living) -> str:
    """The address of her page."""
    return f"/customers/{town.get('/customers/external:u1')['id']}/"


def _find(browser: Browser, text: str) -> httpx.Response:
    return browser._client.get("/customers/", params={"search": text})


def _text(cell: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())


def _table(page: str, heading: str) -> list[list[str]]:
    """The cells of the table in the section of a heading, as texts."""
    section = page.split(f'id="{heading}"')[1].split("</section>", maxsplit=1)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", section.split("<tbody>")[1].split("</tbody>")[0], re.S)
    return [[_text(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)] for row in rows]


def test_page_explains_itself_and_lists_nobody(owner: Browser) -> None:
    page = owner.get("/customers/").text
    assert ("Customers are not listed here" in page, "cus_" in page.replace("cus_2f", "")) == (True, False)
    assert re.findall(r'href="(/customers/imports/[^"]*)"', page) == ["/customers/imports/", "/customers/imports/new/"]


def test_one_customer_is_found_by_everything_that_names_them(town: Living, owner: Browser, ann: str) -> None:
    for text in (
        "u1",
        " u1 ",
        "external:u1",
        "ann@example.com",
        "ANN@Example.com",
        "email:ann@example.com",
        ann.split("/")[2],
    ):
        found = _find(owner, text)
        assert (found.status_code, found.headers["Location"]) == (302, ann), text
    visitor = _find(owner, "v1").headers["Location"]
    assert (visitor != ann, _find(owner, "anonymous:v1").headers["Location"]) == (True, visitor)


def test_two_who_hold_one_address_are_named_by_their_ids(town: Living, owner: Browser) -> None:
    """C-10: an address never makes two people one."""
    page = _find(owner, "both@example.com")
    expected = [town.get(f"/customers/external:{one}")["id"] for one in ("u2", "u3")]
    assert (page.status_code, re.findall(r'href="/customers/(cus_\w+)/"', page.text)) == (200, expected)
    assert "a verified e-mail address" in page.text


@pytest.mark.parametrize("text", ["nobody", "cus_zzz", "cus_", "external:", "email:", "email:no address", "u"])
def test_nobody_is_found_by_what_names_nobody(owner: Browser, text: str) -> None:
    page = _find(owner, text)
    assert (page.status_code, "No customer is named" in page.text) == (200, True)
    assert f'value="{html.escape(text)}"' in page.text


def test_naughty_texts_find_nobody_and_are_shown_as_typed(owner: Browser) -> None:
    for text in NAUGHTY:
        page = _find(owner, text)
        assert (page.status_code, "<script>alert" in page.text) == (200, False), text


def test_address_wants_a_permission(viewer: Browser, ann: str) -> None:
    """D-13: an address is personal; an id is not."""
    assert _find(viewer, "u1").headers["Location"] == ann
    for text in ("ann@example.com", "email:ann@example.com", "nobody@example.com"):
        refused = _find(viewer, text)
        assert (refused.status_code, "scope_missing" in refused.text) == (403, True)
        assert "Needs permission customers:personal; an owner can grant it." in refused.text
        assert f'value="{text}"' in refused.text


def test_everything_known_is_shown_with_where_it_comes_from(town: Living, owner: Browser, ann: str) -> None:
    page = owner.get(ann).text
    assert [row[:2] for row in _table(page, "identities")] == [
        ["u1", "your own id"],
        ["ann@example.com", "e-mail address, verified"],
    ]
    assert [row[:4] for row in _table(page, "attributes")][:2] == [
        ["First name personal", "Ann", "Import file.csv", "server"],
        ["Birthday personal", "May 6, 1990", "Import file.csv", "server"],
    ]
    values = {row[0]: row[1] for row in _table(page, "attributes")}
    assert (values["Country"], values["points"]) == ("Norway", "7")
    orders = _table(page, "orders")
    assert [[row[0], row[3], row[4]] for row in orders] == [
        ["o2", "$1.00 waits for a rate", "completed"],
        ["o1", "€12.50", "completed"],
    ]
    assert "2 purchases" in page
    assert _table(page, "devices")[0][0] == "iPhone 15 iOS"
    assert len(_table(page, "sessions")) == 10
    assert "The newest 10 of 28 sessions." in page


def test_groups_are_shown_each_with_why(town: Living, owner: Browser, ann: str) -> None:
    page = owner.get(ann).text
    assert [row[:2] for row in _table(page, "groups")] == [["Everybody <b>", "Segment"]]
    [why] = re.findall(r'href="(/why\?[^"]+)"', page)
    assert "is a member" in owner.get(html.unescape(why)).text


def test_viewer_sees_no_personal_data_and_why(viewer: Browser, ann: str) -> None:
    """What is marked personal is hidden with the reason; groups want a permission of their own."""
    page = viewer.get(ann).text
    for hidden in ("Ann", "ann@example.com", "May 6, 1990", "Everybody"):
        assert hidden not in page
    values = {row[0]: row[1] for row in _table(page, "attributes")}
    assert (values["First name personal"], values["Age personal"], values["Country"]) == ("hidden", "hidden", "Norway")
    assert "Needs permission customers:personal; an owner can grant it." in page
    assert "Needs permission members:read; an owner can grant it." in page
    timeline = viewer.get(f"{ann}timeline/").text
    assert ("s3cr3t" in timeline, "app_opened" in timeline, "Joined" in timeline) == (False, True, False)
    assert "Needs permission members:read; an owner can grant it." in timeline
    privacy = viewer.get(f"{ann}privacy/").text
    assert privacy.count('aria-disabled="true"') == 3


def test_id_that_is_an_address_is_hidden(town: Living, owner: Browser, viewer: Browser) -> None:
    address = f"/customers/{town.get('/customers/external:dan@example.com')['id']}/"
    assert ("dan@example.com" in owner.get(address).text, "dan@example.com" in viewer.get(address).text) == (
        True,
        False,
    )


def test_merged_customer_leads_to_the_survivor(town: Living, owner: Browser) -> None:
    """C-7: what was v2 became u5, and says so."""
    visit = _VISITS | {"row": {**_VISITS["row"], "external_id": "id"}}
    town.bring_in(csv_of("anon,event,at", "v2,app_opened,2026-02-01"), _VISITS)
    before = _find(owner, "v2").headers["Location"]
    town.bring_in(csv_of("anon,event,at,id", "v9,app_opened,2026-02-01,u5"), visit)
    town.bring_in(csv_of("anon,event,at,id", "v2,app_opened,2026-02-02,u5"), visit)
    after = f"/customers/{town.get('/customers/external:u5')['id']}/"
    for tab in _TABS:
        moved = owner.get(before + tab)
        assert (moved.status_code, moved.headers["Location"]) == (302, after + tab)
    assert [before.split("/")[2], "merged into this customer"] in [
        row[:2] for row in _table(owner.get(after).text, "identities")
    ]


def _moments(page: str) -> list[tuple[str, str]]:
    body = page.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    return [
        (re.findall(r'datetime="([^"]+)"', row)[0], _text(re.findall(r"<td.*?</td>", row, re.S)[0])) for row in rows
    ]


def _walk(owner: Browser, address: str, word: str) -> list[list[tuple[str, str]]]:
    """The moments of every page, following its link."""
    pages = []
    while True:
        page = owner.get(address).text
        pages.append(_moments(page))
        links = re.findall(rf'rel="{word}" href="([^"]+)"', page)
        if not links:
            return pages
        address = address.split("?", maxsplit=1)[0] + html.unescape(links[0])


def test_timeline_goes_older_and_back_without_loss(owner: Browser, ann: str) -> None:
    """Fifty a page; nothing stands twice, and the way back shows the same pages."""
    pages = _walk(owner, f"{ann}timeline/", "next")
    every = [one for page in pages for one in page]
    assert [len(page) for page in pages] == [50, len(every) - 50]
    assert [at for at, _ in every] == sorted((at for at, _ in every), reverse=True)
    # Events, sessions, orders, imports and a group of hers.
    kinds = {"app_opened": 28, "level_up": 28, "session": 28, "order_completed": 2, "Import": 3, "Joined": 1}
    assert {kind: sum(one == kind for _, one in every) for kind in kinds} == kinds
    assert len(every) == sum(kinds.values())
    last = owner.get(f"{ann}timeline/").text
    [older] = re.findall(r'rel="next" href="([^"]+)"', last)
    second = owner.get(f"{ann}timeline/{html.unescape(older)}").text
    [newer] = re.findall(r'rel="prev" href="([^"]+)"', second)
    assert _moments(owner.get(f"{ann}timeline/{html.unescape(newer)}").text) == pages[0]


@pytest.mark.parametrize(
    ("kind", "count"),
    [("events", 50), ("orders", 2), ("sessions", 28), ("imports", 3), ("consents", 0), ("groups", 1)],
)
def test_timeline_shows_one_kind(owner: Browser, ann: str, kind: str, count: int) -> None:
    page = owner.get(f"{ann}timeline/?kind={kind}").text
    assert page.count('data-name="Details"') == count
    assert ("Nothing of this kind is known." in page) == (not count)


def test_timeline_names_what_it_does_not_know(owner: Browser, ann: str) -> None:
    """D-29; a cursor of another list is refused."""
    page = owner.get(f"{ann}timeline/?colour=red&kind=weather")
    assert (page.status_code, "This page does not know: colour." in page.text) == (200, True)
    for cursor in ("NQ", "WyJhIl0", "%25%25", "WyIyMDI2IiwieCJd", "WyJ4IiwiYTpiIl0"):
        assert owner.get(f"{ann}timeline/?older={cursor}").status_code == 400


def test_owner_sees_what_events_carry(owner: Browser, ann: str) -> None:
    page = owner.get(f"{ann}timeline/?kind=events").text
    assert ("s3cr3t-28" in page, "<script>" in page, " style=" in page) == (True, False, False)


def test_unknown_customers_are_not_found(owner: Browser) -> None:
    for identifier in ("cus_zzz", "cus_", "nobody", "external", "cus_0", "imports-x"):
        for tab in _TABS:
            assert owner.get(f"/customers/{identifier}/{tab}").status_code == 404


def test_outsider_is_sent_to_the_door(town: Living, ann: str) -> None:
    for address in ("/customers/", *(ann + tab for tab in _TABS)):
        answer = httpx.get(town.server.address + address)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={address}")


@pytest.mark.parametrize("tab", _TABS)
def test_pages_work_in_every_language(owner: Browser, ann: str, tab: str) -> None:
    for language in ("en", "de", "fr"):
        page = owner._client.get(ann + tab, headers={"Accept-Language": language})
        assert (page.status_code, page.text.count("<h1>"), " style=" in page.text) == (200, 1, False)
        assert page.headers["Cache-Control"] == "no-store"
