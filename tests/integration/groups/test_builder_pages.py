"""The builder as a plain form: what is typed is kept, what is missing is named, what is saved is what was shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.integration.groups.conftest import up_to
from tests.integration.living import Document, Living
from tests.integration.pages import Browser

Make = Callable[..., Document]
NEW = "/groups/new/segment/"
POINTS = {
    "in.match": "all",
    "in.nodes.0.kind": "attribute/custom",
    "in.nodes.0.attribute": "points",
    "in.nodes.0.op": "lte",
    "in.nodes.0.value": "40",
    "language": "en",
    "app": "notes",
}


@pytest.fixture(autouse=True)
def no_draft(browser: Browser) -> Iterator[None]:
    yield
    browser.post(NEW, {"do": "discard"})


def _text(page: httpx.Response) -> str:
    """What is read, without marks and with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def _big(page: httpx.Response) -> str:
    return re.findall(r'<p class="big">([^<]*)</p>', page.text)[0]


def test_new_segment_begins_with_a_row_to_fill_in(browser: Browser) -> None:
    """D-23: an empty row selects nobody and not everybody."""
    page = browser.get(NEW)
    assert (page.status_code, _big(page), "Choose at least one value." in page.text) == (200, "–", True)
    assert " style=" not in page.text


def test_figures_follow_the_rows(browser: Browser) -> None:
    """G-14: 40 of the 54 who are available; the ten of them from Germany are cut off."""
    excluded = {"out.nodes.0.kind": "attribute/demographic", "out.nodes.0.attribute": "country"}
    excluded |= {"out.nodes.0.op": "in", "out.nodes.0.values.0": "DE"}
    page = browser.post(NEW, {**POINTS, **excluded})
    assert (page.status_code, _big(page)) == (200, "30")
    assert "Customers of Notes whose “points” is at most 40 and whose country is not Germany." in _text(page)
    steps = re.findall(r"<dt[^>]*>([^<]*)</dt><dd>.*?</dd><dd>([^<]*)</dd>", page.text)
    assert steps == [("Available", "54"), ("1 points", "40"), ("Exclude", "−10")]
    assert re.findall(r'<output class="fig">([^<]*)</output>', page.text) == ["40", "Small"]


def test_what_is_incomplete_is_left_out_and_named(browser: Browser) -> None:
    """D-21"""
    page = browser.post(NEW, {**POINTS, "in.nodes.1.kind": "attribute/demographic", "in.nodes.1.op": "in"})
    assert (page.status_code, _big(page)) == (200, "40")
    assert "One condition is not complete and is left out here." in page.text
    page = browser.post(NEW, {**POINTS, "in.nodes.0.value": "forty", "name": "Forty", "do": "save"})
    assert (page.status_code, "“forty” is not a number as you write it: 1,234." in page.text) == (422, True)
    assert 'value="forty"' in page.text


def test_small_audience_shows_no_figures(browser: Browser) -> None:
    """D-23"""
    page = browser.post(NEW, {**POINTS, "in.nodes.0.value": "3"})
    assert (_big(page), "How it adds up" in page.text, "Sample" in page.text) == ("Small", False, False)
    assert re.findall(r'<output class="fig">([^<]*)</output>', page.text) == [""]


def test_numbers_are_read_in_the_language_they_were_typed_in(town: Living, browser: Browser) -> None:
    """A draft typed in German means the same in English."""
    browser.post(NEW, {**POINTS, "in.nodes.0.value": "30,0", "language": "de"})
    page = browser.get(NEW)
    assert (_big(page), "Discard draft" in page.text) == ("30", True)


def test_buttons_change_the_rows(browser: Browser) -> None:
    """D-19"""

    def rows(page: httpx.Response) -> list[str]:
        return re.findall(r'<li (?:class="nest" )?id="([^"]+)"><(?:div class="line"><)?span class="n">', page.text)

    assert rows(browser.post(NEW, {**POINTS, "do": "add:in:event"})) == ["in.nodes.0", "in.nodes.1"]
    nested = browser.post(NEW, {**POINTS, "do": "add:in:group_of"})
    assert rows(nested) == ["in.nodes.0", "in.nodes.1", "in.nodes.1.nodes.0"]
    assert rows(browser.post(NEW, {**POINTS, "do": "copy:in.nodes.0"})) == ["in.nodes.0", "in.nodes.1"]
    empty = browser.post(NEW, {**POINTS, "do": "drop:in.nodes.0"})
    assert (rows(empty), "choose “Everyone”" in empty.text) == ([], True)
    for nonsense in ("drop:in.nodes.7", "up:in.nodes.0", "add:nowhere", "drop:", "x:y:z", "copy:in.nodes.00000"):
        assert browser.post(NEW, {**POINTS, "do": nonsense}).status_code == 200


def test_everyone_must_be_chosen(browser: Browser) -> None:
    page = browser.post(NEW, {"in.nodes.0.kind": "everyone", "app": "notes"})
    assert (_big(page), "All customers of Notes." in page.text) == ("54", True)


def test_saved_segment_is_what_was_shown(town: Living, browser: Browser) -> None:
    page = browser.post(NEW, {**POINTS, "name": "By points", "tag": "sale", "do": "save"})
    assert (page.status_code, page.headers["location"]) == (302, "/groups/by-points/")
    saved = town.get("/groups/by-points")
    assert (saved["size"], saved["tags"], saved["definition"]) == (40, ["sale"], up_to(40))
    assert "Discard draft" not in browser.get(NEW).text
    assert town.local.delete("/groups/by-points").status_code == 204


def test_name_that_is_missing_is_asked_for(browser: Browser) -> None:
    page = browser.post(NEW, {**POINTS, "do": "save"})
    assert (page.status_code, "Give the segment a name" in page.text) == (422, True)


def test_edit_predicts_and_conflicts_show_both(town: Living, browser: Browser, make: Make) -> None:
    """D-40: nobody overwrites unseen."""
    make("forty", up_to(40))
    page = browser.get("/groups/forty/edit/")
    [revision] = re.findall(r'name="revision" value="(\d+)"', page.text)
    posted = {**POINTS, "in.nodes.0.value": "45", "name": "Forty", "revision": revision}
    assert "5 would join, 0 would leave" in _text(browser.post("/groups/forty/edit/", posted))
    town.local.patch("/groups/forty", json={"definition": up_to(30)}, headers={"If-Match": '"1"'}).raise_for_status()
    refused = browser.post("/groups/forty/edit/", {**posted, "do": "save"})
    assert (refused.status_code, "Keep mine" in refused.text) == (422, True)
    assert "Theirs: Customers of Notes whose “points” is at most 30." in _text(refused)
    kept = browser.post("/groups/forty/edit/", {**posted, "do": "mine"})
    [revision] = re.findall(r'name="revision" value="(\d+)"', kept.text)
    assert browser.post("/groups/forty/edit/", {**posted, "revision": revision, "do": "save"}).status_code == 302
    assert town.get("/groups/forty")["size"] == 45


def test_json_makes_the_rows_anew(browser: Browser) -> None:
    """D-22"""
    text = '{"version": 1, "app": "notes", "match": {"attribute": "country", "op": "is", "value": "FR"}}'
    page = browser.post(NEW, {**POINTS, "json": text, "view": "json", "do": "json"})
    assert (page.status_code, _big(page)) == (200, "30")
    wrong = browser.post(NEW, {**POINTS, "json": "{", "view": "json", "do": "json"})
    assert (wrong.status_code, _big(wrong), ">{</textarea>" in wrong.text) == (422, "40", True)


def test_a_person_is_tested(browser: Browser) -> None:
    page = browser.post(NEW, {**POINTS, "person": "external:u7", "do": "test"})
    assert re.findall(r"<b>(cus_\w+) is in this segment</b>", page.text) != []
    page = browser.post(NEW, {**POINTS, "person": "external:u41", "do": "test"})
    assert re.findall(r"<b>(cus_\w+) is not in this segment</b>", page.text) != []
    page = browser.post(NEW, {**POINTS, "person": "nobody", "do": "test"})
    assert (page.status_code, "There is no customer `nobody`." in page.text) == (200, True)
    page = browser.post(NEW, {**POINTS, "person": "external:u7", "do": "update"})
    assert "is in this segment" in page.text


def test_enter_shows_the_figures_again_and_does_not_save(browser: Browser) -> None:
    """It presses the first button of the form, wherever on the page."""
    buttons = re.findall(r"<button[^>]*>", browser.get(NEW).text)
    of_form = [one for one in buttons if 'name="do"' in one]
    assert 'value="update"' in of_form[0]


def test_values_and_tags_are_added_by_the_dozen(browser: Browser) -> None:
    """A script names each that was chosen before the first was answered; each may be a pasted list."""
    fields = {**POINTS, "in.nodes.0.kind": "attribute/demographic", "in.nodes.0.attribute": "country"}
    del fields["in.nodes.0.value"]
    fields |= {"in.nodes.0.op": "in", "in.nodes.0.values.0": "FR", "tag.3": "loyal", "tag.1": "new"}
    page = browser.post(
        NEW, {**fields, "in.nodes.0.adds.7": "DE\nIT", "in.nodes.0.adds.x": "ES", "in.nodes.0.add": "FR"}
    )
    assert re.findall(r'name="in.nodes.0.values.\d+" value="(\w+)"', page.text) == ["FR", "DE", "IT"]
    assert re.findall(r'name="tag" value="(\w+)"', page.text) == ["loyal", "new"]


def test_the_latest_question_of_a_page_is_answered(browser: Browser) -> None:
    """G-14: also where an earlier one comes to the figures after it."""

    def ask(number: int) -> httpx.Response:
        told = {"HX-Request": "true", "Muster-Turn": str(number)}
        return browser.post(NEW, {**POINTS, "editor": "edt_1", "name": f"Question {number}"}, headers=told)

    with ThreadPoolExecutor(4) as page:
        answers = list(page.map(ask, (4, 3, 2, 1)))
    assert (answers[0].status_code, _big(answers[0])) == (200, "40")
    assert {one.status_code for one in answers} <= {200, 204}


def test_fragment_is_only_the_form(browser: Browser) -> None:
    """D-1"""
    page = browser.post(NEW, POINTS, headers={"HX-Request": "true"})
    assert (page.status_code, "<html" in page.text, _big(page)) == (200, False, "40")
    saved = browser.post(NEW, {**POINTS, "name": "", "do": "discard"}, headers={"HX-Request": "true"})
    assert (saved.status_code, saved.headers["HX-Redirect"]) == (204, NEW)


def test_overlap_is_told(browser: Browser, make: Make) -> None:
    made = make("thirty", up_to(30))
    page = browser.post(NEW, {**POINTS, "compared": made["id"]})
    assert "30 are in both, 75% of these." in _text(page)


def test_values_of_properties_are_suggested(browser: Browser) -> None:
    """D-21: u1 alone bought, so nothing is told."""
    page = browser.get("/groups/new/values?event=order_completed&property=currency")
    assert (page.status_code, page.text.strip()) == (200, "")
    assert browser.get("/groups/new/values?event=nothing&property=x").status_code == 200
