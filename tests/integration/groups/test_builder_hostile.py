"""The builder and bad input: sent twice, at once or again; hostile texts; far too much; bytes that are no text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from html import escape

import pytest

from tests.integration.groups.conftest import up_to
from tests.integration.groups.test_builder_pages import NEW, POINTS, Make, no_draft
from tests.integration.living import Living
from tests.integration.pages import Browser
from tests.naughty import naughty_from

__all__ = ["no_draft"]


def _names(town: Living) -> list[str]:
    return [one["name"] for one in town.get("/groups", limit=200)["items"]]


def test_form_sent_twice_makes_one_segment(town: Living, browser: Browser) -> None:
    form = {**POINTS, "name": "Sent twice", "do": "save"}
    with ThreadPoolExecutor(4) as clicks:
        answers = list(clicks.map(lambda _: browser.post(NEW, form), range(4)))
    assert {(one.status_code, one.headers["Location"]) for one in answers} == {(302, "/groups/sent-twice/")}
    assert _names(town).count("Sent twice") == 1
    asked = browser.post(NEW, form, headers={"HX-Request": "true"})
    assert (asked.status_code, _names(town).count("Sent twice")) == (302, 1)


def test_known_group_sent_twice_is_made_once(town: Living, browser: Browser) -> None:
    answers = [browser.post("/groups/new/known/", {"name": "List sent twice", "key": ""}) for _ in range(2)]
    assert [one.headers["Location"] for one in answers] == ["/groups/list-sent-twice/"] * 2
    assert _names(town).count("List sent twice") == 1


def test_what_was_refused_is_judged_again(browser: Browser) -> None:
    refused = {**POINTS, "name": "", "do": "save"}
    assert [browser.post(NEW, refused).status_code for _ in range(2)] == [422, 422]


@pytest.mark.untraced
def test_naughty_texts_stand_where_they_were_typed(town: Living, browser: Browser) -> None:
    """In the name, as a tag, as a person to test, as a value: answered with the page, and saved or refused."""
    for number, text in enumerate(naughty_from(0)):
        fields = {"name": text, "add_tag": text, "person": text, "in.nodes.0.value": text, "do": "test"}
        page = browser.post(NEW, {**POINTS, **fields})
        assert page.status_code in (200, 422), (text, page.status_code)
        if number % 4 == 0:
            saved = browser.post(NEW, {**POINTS, "name": text, "add_tag": text, "do": "save"})
            assert saved.status_code in (302, 422), (text, saved.status_code)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"version": 1, "match": "' + "x" * 100_000 + '"}'])
def test_huge_paste_is_told_and_loses_nothing(browser: Browser, text: str) -> None:
    """D-14, D-22: JSON that is far too large or far too deep is named, and stands there still."""
    page = browser.post(NEW, {**POINTS, "view": "json", "json": text, "do": "json"})
    assert (page.status_code, "JSON" in page.text, escape(text[:60_000]) in page.text) == (422, True, True)


def test_more_fields_than_a_form_has_are_refused(browser: Browser) -> None:
    page = browser.post(NEW, {**POINTS, **{f"in.nodes.0.values.{number}": "x" for number in range(3_000)}})
    assert page.status_code == 400


def test_bytes_that_are_no_text_are_answered(town: Living, browser: Browser) -> None:
    for name in (b"\xff\xfe\x00", b"%ff%fe", b"\x80" * 50):
        token = browser.token.encode()
        answer = browser.raw(NEW, b"csrfmiddlewaretoken=" + token + b"&do=save&language=en&in.match=all&name=" + name)
        assert answer.status_code in (302, 400, 422), (name, answer.status_code)


def test_fields_inside_of_fields_are_answered(browser: Browser) -> None:
    """No form of ours sends one; what cannot be read is left out."""
    deeper = {**POINTS, "in.nodes.0.op": "between", "in.nodes.0.low": "1", "in.nodes.0.high": "2"}
    names = ("match", "op", "value", "low", "add", "adds", "adds.0", "values", "values.0", "kind", "attribute", "about")
    names += (
        "type",
        "unit",
        "length",
        "app",
        "event",
        "property",
        "where",
        "where.0",
        "steps.0.event",
        "group",
        "share",
    )
    for kind in (
        "attribute/custom",
        "attribute/demographic",
        "event",
        "sequence",
        "device",
        "group",
        "sample",
        "group_of",
    ):
        for name in names:
            fields = {key: value for key, value in deeper.items() if key != f"in.nodes.0.{name}"}
            page = browser.post(NEW, {**fields, "in.nodes.0.kind": kind, f"in.nodes.0.{name}.x": "1"})
            assert page.status_code == 200, (kind, name, page.status_code)
    for name in ("in", "in.match", "in.nodes", "out.match", "out.nodes.0"):
        assert browser.post(NEW, {**POINTS, f"{name}.x": "1"}).status_code == 200, name
    far = "9" * 5_000
    assert (
        browser.post(NEW, {**POINTS, f"in.nodes.{far}.kind": "event", "do": f"drop:in.nodes.{far}"}).status_code == 200
    )


@pytest.mark.parametrize("revision", ["9" * 5_000, "²", "-1"])
def test_revisions_that_are_none_are_answered(town: Living, browser: Browser, make: Make, revision: str) -> None:
    key = make("revised", up_to(30))["key"]
    edit = f"/groups/{key}/edit/"
    assert browser.get(f"{edit}?version={revision}").status_code == 404
    assert browser.post(edit, {**POINTS, "name": "Revised", "revision": revision, "do": "save"}).status_code in (
        302,
        422,
    )
    assert browser.post(f"/groups/{key}/manage/", {"do": "tags", "revision": revision}).status_code in (302, 422)
    assert browser.get(f"/groups/{key}/changes/{revision}/").status_code in (404, 422)
