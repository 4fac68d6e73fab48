"""My profile: how pages are shown, name, password, where one is logged in; and the same over REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from muster.team.actions.tokens import create_token
from muster.team.models import Member
from muster.team.policies import member_principal
from tests.conftest import PASSWORD
from tests.integration.team.forms import send, text_of

pytestmark = pytest.mark.django_db

_NEW = "another correct horse"
_SHOWN = {
    "do": "preferences",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "theme": "dark",
    "density": "compact",
    "rows": "100",
}


def _logged_in(email: str, **headers: str) -> Client:
    browser = Client(enforce_csrf_checks=True, headers=headers)
    assert send(browser, "/login", {"email": email, "password": PASSWORD}).status_code == 302
    return browser


def test_what_is_chosen_shows_on_every_page(as_bob: Client, bob: Member) -> None:
    assert '<html lang="en">' in text_of(as_bob.get("/jobs/"))
    assert send(as_bob, "/profile/", _SHOWN).status_code == 302
    for address in ("/jobs/", "/profile/", "/nowhere"):
        page = text_of(as_bob.get(address))
        assert '<html lang="de" data-bs-theme="dark" data-density="compact">' in page
    assert as_bob.get("/api/v1/me").json()["preferences"] == {
        "language": "de",
        "time_zone": "Europe/Berlin",
        "theme": "dark",
        "density": "compact",
        "rows": 100,
        "hidden_columns": {},
    }


def test_outsider_sees_the_usual(as_charlie: Client) -> None:
    assert '<html lang="en">' in text_of(as_charlie.get("/login"))


@pytest.mark.parametrize(
    ("field", "value"), [("language", "es"), ("time_zone", "Mars"), ("theme", "pink"), ("density", ""), ("rows", "7")]
)
def test_choice_there_is_not_is_refused_at_its_field(as_bob: Client, field: str, value: str) -> None:
    refused = send(as_bob, "/profile/", {**_SHOWN, field: value})
    assert (refused.status_code, f'id="id_{field}_error"' in text_of(refused)) == (422, True)
    assert '<html lang="en">' in text_of(as_bob.get("/jobs/"))


def _patch(browser: Client, body: dict[str, Any]) -> Any:
    browser.get("/jobs/")
    token = browser.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token}
    return browser.patch("/api/v1/me/preferences", body, content_type="application/json", headers=headers)


def test_preferences_over_rest(as_bob: Client) -> None:
    changed = _patch(as_bob, {"theme": "light", "rows": 50, "hidden_columns": {"groups": ["trend", "kind"]}})
    assert (changed.status_code, changed.json()) == (
        200,
        {
            "language": "auto",
            "time_zone": "auto",
            "theme": "light",
            "density": "comfortable",
            "rows": 50,
            "hidden_columns": {"groups": ["kind", "trend"]},
        },
    )
    for body, code, pointer in (
        ({"theme": "pink"}, "value_not_allowed", "/theme"),
        ({"time_zone": "Mars/Olympus"}, "value_not_allowed", "/time_zone"),
        ({"role": "owner"}, "field_unknown", "/role"),
        ({"hidden_columns": {"groups": ["name"]}}, "value_not_allowed", "/hidden_columns/groups"),
        ({"hidden_columns": {"nothing": []}}, "value_not_allowed", "/hidden_columns/nothing"),
    ):
        refused = _patch(as_bob, body)
        assert refused.status_code == 422
        assert [(one["code"], one["pointer"]) for one in refused.json()["errors"]] == [(code, pointer)]


def test_token_has_no_preferences(alice: Member) -> None:
    _, secret = create_token(member_principal(alice), "ci", ["groups:read"])
    ci = Client(headers={"Authorization": f"Bearer {secret}"})
    refused = ci.patch("/api/v1/me/preferences", {"rows": 50}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (404, "member_unknown")


def test_name_stands_for_the_address(as_alice: Client, alice: Member) -> None:
    assert send(as_alice, "/profile/", {"do": "name", "name": "  Alice <i>A.</i> "}).status_code == 302
    page = text_of(as_alice.get("/settings/team/"))
    assert "<bdi>Alice &lt;i&gt;A.&lt;/i&gt;</bdi>" in page
    assert send(as_alice, "/profile/", {"do": "name", "name": ""}).status_code == 302
    assert as_alice.get("/api/v1/me").json()["name"] == ""


def test_new_password_ends_every_other_session(alice: Member) -> None:
    here, there = _logged_in(alice.email), _logged_in(alice.email)
    changed = send(here, "/profile/", {"do": "password", "old": PASSWORD, "new": _NEW})
    assert changed.status_code == 302
    assert (here.get("/jobs/").status_code, there.get("/jobs/").status_code) == (200, 302)
    alice.refresh_from_db()
    assert (alice.check_password(_NEW), alice.password.split("$")[0]) == (True, "scrypt")


@pytest.mark.parametrize(
    ("old", "new", "field"), [("wrong", _NEW, "old"), (PASSWORD, "short", "new"), (PASSWORD, "password123", "new")]
)
def test_password_that_cannot_be_taken_says_why(
    as_alice: Client, alice: Member, old: str, new: str, field: str
) -> None:
    refused = send(as_alice, "/profile/", {"do": "password", "old": old, "new": new})
    page = text_of(refused)
    assert (refused.status_code, f'id="id_{field}_error"' in page, f'value="{new}"' in page) == (422, True, False)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_sessions_are_listed_and_ended_one_by_one(alice: Member) -> None:
    firefox = _logged_in(alice.email, **{"User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko Firefox/145.0"})
    telephone = _logged_in(alice.email, **{"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18) Safari/604.1"})
    page = text_of(firefox.get("/profile/"))
    assert ("Firefox, Windows" in page, "Safari, iPhone" in page, page.count("this browser")) == (True, True, 1)
    assert firefox.cookies["sessionid"].value not in page
    [address] = [part.split('"')[0] for part in page.split('action="') if part.startswith("/profile/sessions/")]
    assert send(firefox, address, {}, seen="/profile/").status_code == 302
    assert (firefox.get("/jobs/").status_code, telephone.get("/jobs/").status_code) == (200, 302)


def test_nobody_ends_the_session_of_somebody_else(alice: Member, bob: Member) -> None:
    hers, his = _logged_in(alice.email), _logged_in(bob.email)
    other = _logged_in(bob.email)
    page = text_of(his.get("/profile/"))
    [address] = [part.split('"')[0] for part in page.split('action="') if part.startswith("/profile/sessions/")]
    assert send(hers, address, {}, seen="/profile/").status_code == 302
    assert other.get("/jobs/").status_code == 200


def test_log_out_everywhere_leaves_this_browser(alice: Member) -> None:
    here, there = _logged_in(alice.email), _logged_in(alice.email)
    # One that nobody wrote down, as from the version before.
    unknown = _logged_in(alice.email)
    alice.sessions.filter(session_key=unknown.cookies["sessionid"].value).delete()
    assert send(here, "/profile/log-out-everywhere", {}, seen="/profile/").status_code == 302
    assert [browser.get("/jobs/").status_code for browser in (here, there, unknown)] == [200, 302, 302]
    assert here.get("/api/v1/me").status_code == 200
    assert alice.sessions.count() == 1
