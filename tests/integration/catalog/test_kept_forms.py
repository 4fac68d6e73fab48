"""Forms with several fields keep what was typed until it is saved or discarded (D-14)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.integration.living import Living, living
from tests.integration.pages import Browser
from tests.integration.personas import owner_of, viewer_of

_TYPING = {"HX-Request": "true"}
_APP = {
    "key": "notes",
    "name_en": "Notes <b>",
    "name_de": "Notizen",
    "platforms": "ios, web",
    "default_currency": "USD",
}


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as found:
        found.post("/apps", {"key": "shop", "name": {"en": "Shop"}}, 201)
        yield found


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


def _values(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="text" name="(\w+)" value="([^"]*)"', page))


def test_what_was_typed_is_there_again_until_it_is_saved(town: Living, owner: Browser) -> None:
    address = "/apps/new"
    assert "Draft of" not in owner.get(address).text
    kept = owner.post(address, _APP, headers=_TYPING)
    assert (kept.status_code, "<form" in kept.text, "Draft of" in kept.text) == (200, False, True)
    page = owner.get(address).text
    assert _values(page) == _values(page) | {**_APP, "name_en": "Notes &lt;b&gt;"}
    assert [one["key"] for one in town.get("/apps")["items"]] == ["shop"]
    refused = owner.post(address, {**_APP, "default_currency": "dollars"})
    assert (refused.status_code, "Draft of" in owner.get(address).text) == (422, True)
    assert owner.post(address, _APP).status_code == 302
    assert "Draft of" not in owner.get(address).text


def test_draft_is_of_one_thing_and_keeps_boxes_and_revision(town: Living, owner: Browser) -> None:
    town.post("/attributes", {"key": "plan", "type": "text", "personal": True}, 201)
    address = "/apps/shop/attributes/plan/"
    assert re.search(r'name="personal"[^>]* checked', owner.get(address).text) is not None
    owner.post(address, {"name_en": "Plan", "type": "category"}, headers=_TYPING)
    page = owner.get(address).text
    assert (_values(page)["name_en"], re.search(r'name="personal"[^>]* checked', page)) == ("Plan", None)
    assert "Draft of" not in owner.get("/apps/shop/attributes/new").text
    settings = "/apps/shop/edit/"
    owner.post(settings, {"name_en": "Mine", "platforms": "", "revision": "1"}, headers=_TYPING)
    town.local.patch("/apps/shop", json={"name": {"en": "Theirs"}}, headers={"If-Match": '"1"'}).raise_for_status()
    page = owner.get(settings).text
    assert (_values(page)["name_en"], 'name="revision" value="1"' in page) == ("Mine", True)


def test_draft_is_discarded_and_comes_back(owner: Browser) -> None:
    address = "/apps/shop/events/new"
    fields = {"key": "level_up", "properties": "level: number"}
    owner.post(address, fields, headers=_TYPING)
    gone = owner.post(address, {**fields, "do": "discard"})
    assert (gone.status_code, gone.headers["Location"]) == (302, address)
    page = owner.get(address).text
    assert ("level_up" in page, "The draft was discarded." in page) == (False, True)
    [undo] = re.findall(r'action="(/undo/[^"]+)"', page)
    owner.post(undo, {"next": address})
    assert "level_up" in owner.get(address).text


def test_too_long_a_draft_is_told_and_the_one_before_stays(owner: Browser) -> None:
    address = "/apps/shop/attributes/new"
    owner.post(address, {"key": "short"}, headers=_TYPING)
    told = owner.post(address, {"key": "x" * 70_000}, headers=_TYPING)
    assert (told.status_code, "longer than 64 KiB" in told.text) == (200, True)
    assert _values(owner.get(address).text)["key"] == "short"


def test_whoever_may_not_save_keeps_no_draft(town: Living, owner: Browser) -> None:
    with viewer_of(town) as viewer:
        for address in ("/settings/organisation/", "/apps/new"):
            assert viewer.post(address, {"name": "Mine"}, headers=_TYPING).status_code == 403
        assert "hx-post" not in viewer.get("/settings/organisation/").text
    owner.post("/settings/organisation/", {"name": "Half"}, headers=_TYPING)
    assert _values(owner.get("/settings/organisation/").text)["name"] == "Half"
    owner.post("/settings/organisation/", {"do": "discard"})
