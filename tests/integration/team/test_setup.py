"""Set-up by a link that works once, log-in, log-out (D-15)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from muster.catalog.models import Publisher
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.team.actions.setup import create_setup_link
from muster.team.errors import SetupDone
from muster.team.hooks import Organisation, organisation_saved
from muster.team.models import Member, SetupLink
from muster.team.policies import Principal
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

FIELDS = {
    "email": "alice@example.com",
    "password": PASSWORD,
    "organisation": "Example",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
}


@pytest.fixture
def browser() -> Client:
    return Client()


@pytest.fixture
def saved() -> Iterator[list[tuple[str, Organisation]]]:
    heard: list[tuple[str, Organisation]] = []

    def hear(owner: Principal, organisation: Organisation) -> None:
        heard.append((owner.label, organisation))

    organisation_saved.append(hear)
    yield heard
    organisation_saved.remove(hear)


def _post(browser: Client, token: str, **changes: str) -> Any:
    return browser.post("/setup", {**FIELDS, **changes, "token": token})


def test_link_makes_the_owner_once(browser: Client, saved: list[tuple[str, Organisation]]) -> None:
    token = create_setup_link()
    page = browser.get(f"/setup?token={token}")
    assert (page.status_code, token in page.content.decode()) == (200, True)

    done = _post(browser, token)

    assert (done.status_code, done.headers["Location"]) == (302, "/setup/begin/")
    assert browser.get("/api/v1/me").json()["label"] == "alice@example.com"
    assert saved == [("alice@example.com", Organisation("Example", "de", "Europe/Berlin", "EUR"))]
    member = Member.objects.get()
    assert (member.role, member.language, member.password.split("$")[0]) == ("owner", "de", "scrypt")
    again = _post(Client(), token, email="mallory@example.com")
    assert (again.status_code, Member.objects.count()) == (409, 1)
    with pytest.raises(SetupDone):
        create_setup_link()


def test_form_begins_with_what_is_the_case(browser: Client) -> None:
    """Another currency would leave the sample's orders without a rate, and its groups empty."""
    Publisher.objects.create(id=1, currency="USD", time_zone="Europe/Paris")
    page = browser.get(f"/setup?token={create_setup_link()}", headers={"Accept-Language": "fr"}).content.decode()
    chosen = re.findall(r'<option value="([^"]+)" selected', page)
    assert chosen == ["fr", "Europe/Paris", "USD"]


def test_link_that_is_made_up_expired_or_replaced_opens_nothing(browser: Client) -> None:
    assert browser.get("/setup?token=made-up").status_code == 403
    assert browser.get("/setup").status_code == 403
    old = create_setup_link()
    new = create_setup_link()
    assert (browser.get(f"/setup?token={old}").status_code, browser.get(f"/setup?token={new}").status_code) == (
        403,
        200,
    )
    SetupLink.objects.update(expires_at=system_clock() - timedelta(seconds=1))
    assert _post(browser, new).status_code == 403
    assert Member.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "alice"),
        ("password", "short"),
        ("password", "password123"),
        ("organisation", ""),
        ("time_zone", "Mars"),
    ],
)
def test_field_that_cannot_be_taken_is_shown_with_the_rest_kept(browser: Client, field: str, value: str) -> None:
    """D-39"""
    token = create_setup_link()
    page = _post(browser, token, **{field: value})
    text = page.content.decode()
    assert (page.status_code, 'role="alert"' in text, f'id="id_{field}_error"' in text) == (422, True, True)
    assert PASSWORD not in text
    assert Member.objects.count() == 0
    # The link was not used up by it.
    assert browser.get(f"/setup?token={token}").status_code == 200


def test_what_an_upper_room_refuses_nobody_keeps(browser: Client) -> None:
    def refuse(owner: Principal, organisation: Organisation) -> None:
        raise MusterError("No rates for this currency.", code="value_not_allowed", pointer="/currency")

    organisation_saved.append(refuse)
    try:
        token = create_setup_link()
        assert _post(browser, token).status_code == 422
        assert Member.objects.count() == 0
        assert browser.get(f"/setup?token={token}").status_code == 200
    finally:
        organisation_saved.remove(refuse)


def test_log_in_and_out(alice: Member, browser: Client) -> None:
    asked = browser.get("/jobs/")
    assert (asked.status_code, asked.headers["Location"]) == (302, "/login?next=/jobs/")
    given = {"email": "Alice@Example.com", "password": PASSWORD, "next": "/jobs/"}
    entered = browser.post("/login", given)
    assert (entered.status_code, entered.headers["Location"]) == (302, "/jobs/")
    assert browser.get("/jobs/").status_code == 200
    assert browser.get("/logout").status_code == 405
    browser.post("/logout")
    assert browser.get("/jobs/").status_code == 302


def test_wrong_password_and_unknown_address_read_the_same(alice: Member, browser: Client) -> None:
    pages = [
        browser.post("/login", {"email": email, "password": "wrong"})
        for email in ("alice@example.com", "charlie@example.com")
    ]
    assert [page.status_code for page in pages] == [422, 422]
    sentences = ["This address and password do not belong together." in page.content.decode() for page in pages]
    assert sentences == [True, True]


def test_log_in_leads_nowhere_else(alice: Member, browser: Client) -> None:
    given = {"email": "alice@example.com", "password": PASSWORD, "next": "https://evil.example/"}
    assert browser.post("/login", given).headers["Location"] == "/"


def test_pages_speak_the_language_of_the_member(alice: Member, as_alice: Client) -> None:
    """D-45"""
    Member.objects.update(language="de")
    page = as_alice.get("/jobs/", headers={"Accept-Language": "fr"})
    assert '<html lang="de">' in page.content.decode()
    Member.objects.update(language="")
    page = as_alice.get("/jobs/", headers={"Accept-Language": "fr"})
    assert '<html lang="fr">' in page.content.decode()


def test_owner_is_made_without_a_browser(as_local: Client) -> None:
    made = as_local.post("/api/v1/setup", FIELDS, content_type="application/json")
    assert (made.status_code, made.json()["role"]) == (201, "owner")
    again = as_local.post("/api/v1/setup", FIELDS, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "setup_done")
