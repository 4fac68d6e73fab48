"""Locking out, sessions that end, and the language somebody reads who is not inside yet."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from muster.catalog.models import Publisher
from muster.kernel.clock import clock_of, system_clock
from muster.team.models import CacheEntry, Member, MemberSession
from tests.conftest import PASSWORD
from tests.integration.team.forms import send, text_of

pytestmark = pytest.mark.django_db

_LOCKED = re.compile(r"Too many attempts have failed\. Try again after (\d+:\d\d)\s([AP]M)")


def _try(password: str, email: str = "alice@example.com", **headers: str) -> Any:
    return send(Client(), "/login", {"email": email, "password": password}, **headers)


def test_five_failures_lock_an_address_for_everybody_and_say_until_when(alice: Member, bob: Member) -> None:
    for _ in range(5):
        assert "This address and password do not belong together." in text_of(_try("wrong"))
    locked = _try(PASSWORD, email="Alice@Example.com")
    said = _LOCKED.search(text_of(locked))
    assert (locked.status_code, said is not None) == (422, True)
    assert said is not None
    again = datetime.strptime(said[1] + said[2], "%I:%M%p")
    expected = system_clock() + timedelta(minutes=15)
    assert abs((again.hour * 60 + again.minute) - (expected.hour * 60 + expected.minute)) in (0, 1, 1439)
    # Others are not locked by it, and an address nobody has reads the same.
    assert _try(PASSWORD, email=bob.email).status_code == 302
    for _ in range(5):
        _try("wrong", email="nobody@example.com")
    assert _LOCKED.search(text_of(_try("wrong", email="nobody@example.com")))


def test_success_forgets_no_failure(alice: Member) -> None:
    """Else somebody who guesses could log in as themselves in between."""
    for _ in range(4):
        _try("wrong")
    assert _try(PASSWORD).status_code == 302
    _try("wrong")
    assert _LOCKED.search(text_of(_try(PASSWORD)))


def test_failures_are_counted_in_the_database(alice: Member) -> None:
    """Where a restart forgets nothing (test_kept.py)."""
    for _ in range(5):
        _try("wrong")
    assert CacheEntry.objects.filter(cache_key__contains="login_failed").count() == 2
    assert _LOCKED.search(text_of(_try(PASSWORD)))
    cache.clear()
    assert _try(PASSWORD).status_code == 302


def test_lock_is_told_in_the_language_of_who_reads(alice: Member) -> None:
    for _ in range(5):
        _try("wrong")
    page = text_of(_try(PASSWORD, **{"Accept-Language": "de"}))
    assert re.search(r"nach \d\d:\d\d Uhr", page)


def test_session_has_a_new_key_once_inside(alice: Member) -> None:
    browser = Client()
    browser.get("/login")
    session = browser.session
    session["before"] = True
    session.save()
    browser.cookies["sessionid"] = session.session_key
    entered = browser.post("/login", {"email": alice.email, "password": PASSWORD})
    assert (entered.status_code, browser.cookies["sessionid"].value == session.session_key) == (302, False)


@pytest.mark.parametrize(
    ("hours", "steps", "inside"),
    [(11.9, 1, True), (12.1, 1, False), (11.0, 30, True), (11.0, 31, False)],
)
def test_session_ends_after_twelve_idle_hours_or_a_fortnight(
    alice: Member, hours: float, steps: int, inside: bool
) -> None:
    browser = Client()
    browser.force_login(alice)
    now = system_clock()
    answer: Any = None
    for step in range(1, steps + 1):
        later = now + timedelta(hours=hours * step)
        with clock_of(lambda later=later: later):  # type: ignore[misc]  # bound at once
            answer = browser.get("/jobs/")
    assert answer.status_code == (200 if inside else 302)
    assert MemberSession.objects.count() == int(inside)


def test_session_from_before_the_limits_goes_on(alice: Member) -> None:
    browser = Client()
    browser.force_login(alice)
    session = browser.session
    del session["began_at"], session["seen_at"]
    session.save()
    assert browser.get("/jobs/").status_code == 200


def test_one_is_sent_back_to_where_one_was(alice: Member) -> None:
    """Also after a form that was sent too late: to its page, not to where it was sent."""
    browser = Client()
    asked = browser.get("/groups/?q=beta")
    assert asked.headers["Location"] == "/login?next=/groups/%3Fq%3Dbeta"
    assert 'name="next" value="/groups/?q=beta"' in text_of(browser.get(asked.headers["Location"]))
    headers = {"Referer": "http://testserver/settings/tokens/new/"}
    sent = browser.post("/settings/tokens/tok_1/revoke", headers=headers)
    assert sent.headers["Location"] == "/login?next=/settings/tokens/new/"
    foreign = browser.post("/settings/tokens/tok_1/revoke", headers={"Referer": "http://evil.example/x"})
    assert foreign.headers["Location"] == "/login?next=/"


@pytest.mark.parametrize(
    "following", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_log_in_leads_nowhere_else(alice: Member, following: str) -> None:
    entered = send(Client(), "/login", {"email": alice.email, "password": PASSWORD, "next": following})
    assert entered.headers["Location"] == "/"


def test_whoever_is_inside_needs_no_log_in(as_alice: Client) -> None:
    assert as_alice.get("/login?next=/jobs/").headers["Location"] == "/jobs/"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("de-CH, en;q=0.5", "de"),
        ("fr", "fr"),
        ("es, pt;q=0.8", "fr"),
        ("*", "fr"),
        ("es, en;q=0.1", "en"),
        (None, "en"),
    ],
)
def test_language_is_the_browsers_else_the_organisations(alice: Member, asked: str | None, language: str) -> None:
    """D-45"""
    Publisher.objects.update(language="fr")
    headers = {"Accept-Language": asked} if asked else {}
    page = Client().get("/login", headers=headers)
    assert (f'<html lang="{language}"' in text_of(page), page.headers["Content-Language"]) == (True, language)


def test_zone_is_the_organisations_until_one_is_chosen(bob: Member, as_bob: Client) -> None:
    """D-48"""
    Publisher.objects.update(time_zone="Asia/Tokyo")
    Member.objects.filter(pk=bob.pk).update(granted=["audit:read"])
    assert "Days and times in Asia/Tokyo" in text_of(as_bob.get("/settings/audit/"))
    Member.objects.filter(pk=bob.pk).update(time_zone="Europe/Paris")
    assert "Days and times in Europe/Paris" in text_of(as_bob.get("/settings/audit/"))


def test_who_tries_passkeys_without_end_is_told_to_wait(alice: Member) -> None:
    browser = Client()
    statuses = [browser.post("/login/passkey", {"credential": "{}"}).status_code for _ in range(101)]
    assert (set(statuses[:100]), statuses[100]) == ({422}, 429)
    told = text_of(browser.post("/login/passkey", {"credential": "{}"}))
    assert ("Too many requests; wait a moment." in told, "too_many_requests" in told) == (True, True)
