"""The page of what came in from an app: counted, refused with its reason, replayed; by persona, within its bounds."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from muster.catalog.actions import create_app
from muster.customers.incoming.pages.verdicts import MEANINGS, meaning_of
from muster.team.policies import LOCAL
from tests.integration.edge.served import Served, served
from tests.integration.pages import Browser
from tests.integration.personas import open_store, owner_of, viewer_of

PAGE = "/apps/notes/incoming/"


@pytest.fixture(scope="module")
def installation(module_environment: dict[str, str]) -> Iterator[Served]:
    """Three events nobody declared, one with a script in it; one message without anybody; one page that was taken."""
    with served(module_environment) as running:
        running.living.post("/apps", {"key": "notes", "settings": {"strict": True}}, 201)
        running.living.post("/apps", {"key": "empty"}, 201)
        events = [
            {"type": "track", "userId": "u1", "event": name, "messageId": name}
            for name in ("One", "Two", "<script>alert(1)</script>")
        ]
        sent = running.send(running.key(), *events, {"type": "page"}, {"type": "page", "userId": "u1"})
        running.wait_for(sent.headers["x-muster-position"])
        yield running


@pytest.fixture(scope="module")
def owner(installation: Served) -> Iterator[Browser]:
    with owner_of(installation.living) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(installation: Served, owner: Browser) -> Iterator[Browser]:
    with viewer_of(installation.living) as browser:
        yield browser


def tables(page: str) -> list[list[list[str]]]:
    """Texts of the cells by row and table."""
    found = []
    for body in re.findall(r"<tbody>(.*?)</tbody>", page, re.S):
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
        found.append(
            [
                [
                    " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())
                    for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)
                ]
                for row in rows
            ]
        )
    return found


def test_page_tells_what_was_taken_and_what_was_refused_and_why(installation: Served, owner: Browser) -> None:
    taken, refused, messages = tables(owner.get(PAGE).text)
    [key] = installation.living.get("/apps/notes/keys")["items"]
    assert [row[:2] for row in taken] == [[f"{key['id']} Server key", "1"]]
    assert [row[:2] for row in refused] == [
        ["The app takes only events that are declared, and this one is not. unknown_event", "3"],
        ["It does not say whom it is about. identity_missing", "1"],
    ]
    assert [row[3] for row in refused] == [
        "Declare the event, then replay. New event Replay unknown_event",
        "Mend what the app sends. What it sent already stays as it is.",
    ]
    assert [re.findall(r"(\w+) · (\d)", row[0])[0] for row in messages] == [
        ("unknown_event", "4"),
        ("unknown_event", "3"),
        ("unknown_event", "2"),
        ("identity_missing", "1"),
    ]


def test_what_was_sent_is_shown_as_it_was_and_runs_nowhere(owner: Browser) -> None:
    page = owner.get(PAGE).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page


def test_list_of_one_verdict(owner: Browser) -> None:
    page = owner.get(PAGE, params={"code": "identity_missing"}).text
    assert [len(rows) for rows in tables(page)] == [1, 2, 1]
    assert "Nothing matches." in owner.get(PAGE, params={"code": "<b>"}).text
    assert tables(owner.get(PAGE, params={"before": "3"}).text)[2][0][0].split("·")[1].split()[0] == "2"
    assert len(tables(owner.get(PAGE, params={"before": "²"}).text)[2]) == 4


def test_app_without_anything_says_what_will_be_here(owner: Browser) -> None:
    page = owner.get("/apps/empty/incoming/").text
    assert tables(page) == []
    assert "It has no key to send with yet." in page
    assert "Nothing was refused." in page
    assert owner.get("/apps/nope/incoming/").status_code == 404


def test_viewer_sees_why_they_may_not_and_nothing_that_was_sent(viewer: Browser) -> None:
    """D-42: the buttons stay, with the reason."""
    page = viewer.get(PAGE).text
    assert page.count('aria-disabled="true"') == 2
    assert "alert(1)" not in page
    assert viewer.post(PAGE, {}).status_code == 403


def test_replay_is_a_job_that_is_shown(installation: Served, owner: Browser) -> None:
    """Last: of one verdict, then of all."""
    here = installation.living
    for name in ("one", "two"):
        here.post("/apps/notes/events", {"key": name}, 201)
    for fields, result in (
        ({"code": "unknown_event"}, {"replayed": 3, "counts": {"accepted": 2, "unknown_event": 1}}),
        ({}, {"replayed": 2, "counts": {"unknown_event": 1, "identity_missing": 1}}),
    ):
        begun = owner.post(PAGE, fields)
        assert begun.status_code == 302
        [job] = re.findall(r"/jobs/(job_\w+)/", begun.headers["Location"])
        assert here.finish(job)["result"] == result
    assert [row[1] for row in tables(owner.get(PAGE).text)[1]] == ["1", "1"]


def test_every_verdict_has_words() -> None:
    """Whatever is new stands for itself until it has some."""
    assert {code: str(one.reason) for code, one in MEANINGS.items() if not str(one.reason).endswith(".")} == {}
    assert meaning_of("another").reason == "another"


@pytest.mark.parametrize("count", [1, 3])
def test_page_asks_as_little_for_three_keys_as_for_one(
    as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any], tmp_path: Any
) -> None:
    from muster.catalog.actions.keys import create_key

    create_app(LOCAL, key="notes")
    for _ in range(count):
        create_key(LOCAL, "notes", kind="server")
    with open_store(tmp_path):
        assert as_alice.get(PAGE).content.count(b"Server key") == count
        with django_assert_num_queries(7):
            assert as_alice.get(PAGE).status_code == 200
