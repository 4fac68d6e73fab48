"""The audit trail in the browser: filters in the address, older and newer, CSV; and the same over REST."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.audit.actions import record
from muster.audit.models import AuditEntry
from muster.audit.terms import ACTIONS, THINGS
from muster.kernel.clock import clock_of
from muster.team.models import Member
from muster.team.policies import Principal
from tests.integration.team.forms import text_of
from tests.naughty import naughty_from

pytestmark = pytest.mark.django_db

_START = datetime(2026, 11, 20, 22, tzinfo=UTC)


@pytest.fixture
def many(alice: Member) -> list[int]:
    """60 deeds, one every hour, by two actors on three groups."""
    AuditEntry.objects.all().delete()
    for place in range(60):
        actor = (
            Principal("token", "tok_1", "=ci", frozenset())
            if place % 2
            else Principal("member", "mem_1", "Ann", frozenset())
        )
        with clock_of(lambda place=place: _START + timedelta(hours=place)):  # type: ignore[misc]  # bound at once
            record(actor, "group.edited", "group", f"grp_{place % 3}", {"revision": place})
    return list(range(60))


def _revisions(page: str) -> list[int]:
    return [int(text) for text in re.findall(r'<code class="m">revision</code> <bdi>(\d+)</bdi>', page)]


def _next(page: str, rel: str) -> str | None:
    found = re.findall(rf'<a rel="{rel}" href="([^"]+)"', page)
    return found[0].replace("&amp;", "&") if found else None


def test_pages_go_older_and_back_without_gap(as_alice: Client, many: list[int]) -> None:
    seen: list[int] = []
    pages: list[str] = []
    address: str | None = "?"
    while address:
        page = text_of(as_alice.get("/settings/audit/" + address))
        pages.append(page)
        seen += _revisions(page)
        address = _next(page, "next")
    assert (seen, len(pages)) == (many[::-1], 3)
    back = text_of(as_alice.get("/settings/audit/" + str(_next(pages[2], "prev"))))
    assert _revisions(back) == _revisions(pages[1])
    newest = text_of(as_alice.get("/settings/audit/" + str(_next(back, "prev"))))
    assert (_revisions(newest), _next(newest, "prev")) == (_revisions(pages[0]), None)


def test_deeds_of_one_instant_are_each_shown_once(as_alice: Client, alice: Member) -> None:
    AuditEntry.objects.all().delete()
    with clock_of(lambda: _START):
        for place in range(30):
            record(
                Principal("member", "mem_1", "Ann", frozenset()), "group.edited", "group", "grp_1", {"revision": place}
            )
    first = text_of(as_alice.get("/settings/audit/"))
    second = text_of(as_alice.get("/settings/audit/" + str(_next(first, "next"))))
    assert _revisions(first) + _revisions(second) == list(range(29, -1, -1))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("actor=Ann", lambda place: place % 2 == 0),
        ("actor=%3Dci&thing_id=grp_1", lambda place: place % 2 and place % 3 == 1),
        ("action=group.edited", lambda place: True),
        ("action=group.deleted", lambda place: False),
        ("thing_kind=member", lambda place: False),
        # Alice reads in UTC.
        ("since=2026-11-21&until=2026-11-21", lambda place: 2 <= place < 26),
        ("until=2026-11-20", lambda place: place < 2),
        ("until=9999-12-31", lambda place: True),
        ("actor=Ann'%20OR%201=1--", lambda place: False),
    ],
)
def test_filters_narrow_the_page_the_csv_and_the_api(
    as_alice: Client, many: list[int], query: str, wanted: Any
) -> None:
    expected = [place for place in many[::-1] if wanted(place)]
    assert _revisions(text_of(as_alice.get(f"/settings/audit/?{query}"))) == expected[:25]
    rows = _csv(as_alice, query)
    assert [row["details"] for row in rows] == [f'{{""revision"": {place}}}'.replace('""', '"') for place in expected]
    if "since" not in query and "until" not in query:
        items = as_alice.get(f"/api/v1/audit?{query}").json()["items"]
        assert [item["details"]["revision"] for item in items] == expected


def _csv(browser: Client, query: str) -> list[dict[str, str]]:
    answer: Any = browser.get(f"/settings/audit/audit.csv?{query}")
    content = b"".join(answer.streaming_content).decode()
    assert content.startswith("\ufeffat,actor_kind,actor_id,actor_label,action,thing_kind,thing_id,details\r\n")
    return [row for row in csv.DictReader(io.StringIO(content[1:])) if row["action"] != "audit.exported"]


def test_no_cell_is_a_formula_and_the_export_is_noted(as_alice: Client, many: list[int]) -> None:
    assert {row["actor_label"] for row in _csv(as_alice, "")} == {"Ann", "'=ci"}
    newest = AuditEntry.objects.order_by("-pk")[0]
    assert (newest.action, newest.actor_label, newest.details) == ("audit.exported", "alice@example.com", {})


def test_period_that_is_none_says_why_and_keeps_it(as_alice: Client, many: list[int]) -> None:
    for query, field in (("since=yesterday", "since"), ("since=2026-11-22&until=2026-11-21", "until")):
        refused = as_alice.get(f"/settings/audit/?{query}")
        assert (refused.status_code, f'id="{field}_error"' in text_of(refused)) == (422, True)


def test_what_the_page_does_not_know_is_named(as_alice: Client, many: list[int]) -> None:
    assert "This page does not know: colour." in text_of(as_alice.get("/settings/audit/?colour=red"))
    for cursor in ("made-up", "WyJ4IiwxXQ", "WzFd", "e30", "WyIyMDI2LTExLTIwVDIyOjAwOjAwIiwxXQ"):
        for name in ("before", "after"):
            assert as_alice.get(f"/settings/audit/?{name}={cursor}").status_code == 400
        assert as_alice.get(f"/api/v1/audit?cursor={cursor}").status_code == 400
    assert "Nothing matches." in text_of(as_alice.get("/settings/audit/?actor=nobody"))


def test_api_reads_page_by_page(as_alice: Client, as_bob: Client, many: list[int]) -> None:
    first = as_alice.get("/api/v1/audit?limit=50&action=group.edited").json()
    second = as_alice.get(f"/api/v1/audit?limit=50&action=group.edited&cursor={first['next_cursor']}").json()
    revisions = [item["details"]["revision"] for item in first["items"] + second["items"]]
    assert (revisions, second["next_cursor"]) == (many[::-1], None)
    since = as_alice.get("/api/v1/audit?since=2026-11-23T00:00:00Z&action=group.edited").json()["items"]
    assert len(since) == 10
    assert as_alice.get("/api/v1/audit?since=2026-11-23T00:00:00").status_code == 422
    refused = as_bob.get("/api/v1/audit")
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "Needs permission audit:read; an owner can grant it.",
    )


@pytest.mark.untraced
def test_naughty_filters_and_details_are_shown_as_text(as_alice: Client, alice: Member) -> None:
    AuditEntry.objects.all().delete()
    texts = naughty_from(2)
    for naughty in texts:
        record(
            Principal("member", "mem_1", naughty[:200], frozenset()),
            "group.edited",
            "group",
            "grp_1",
            {"name": naughty},
        )
        assert as_alice.get("/settings/audit/", {"actor": naughty, "thing_id": naughty}).status_code == 200, naughty
    page = text_of(as_alice.get("/settings/audit/"))
    assert ("<script>alert" in page, len(_csv(as_alice, ""))) == (False, len(texts))


def test_page_asks_as_much_for_three_as_for_one(as_alice: Client, alice: Member) -> None:
    for count in (1, 3):
        AuditEntry.objects.all().delete()
        for _ in range(count):
            record(Principal("member", "mem_1", "Ann", frozenset()), "group.edited", "group", "grp_1")
        with CaptureQueriesContext(connection) as asked:
            as_alice.get("/settings/audit/")
        assert len(asked) == 6


def test_every_action_and_thing_of_the_source_has_a_word() -> None:
    source = Path(__file__).parents[3] / "src" / "muster"
    calls = re.compile(r'\brecord\(\s*\w+,\s*"([a-z_.]+)",\s*"([a-z_]+)"')
    notes = re.compile(r'_(?:note|change)\((?:actor, \w+, )?"(member\.\w+)"')
    found = [match for path in source.rglob("*.py") for match in calls.findall(path.read_text(encoding="utf-8"))]
    noted = {action for path in source.rglob("*.py") for action in notes.findall(path.read_text(encoding="utf-8"))}
    assert len(found) > 30
    assert {action for action, _ in found} | noted <= set(ACTIONS)
    assert {thing for _, thing in found} <= set(THINGS)
