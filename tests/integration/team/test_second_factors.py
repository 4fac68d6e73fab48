"""Codes of an app, checked by another implementation (PyPI pyotp), and recovery codes."""

from __future__ import annotations

import re
import sqlite3
import time
from typing import Any
from urllib.parse import unquote

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client

from muster.audit.queries import newest_deeds
from muster.team.actions.members import remove_second_factors
from muster.team.models import Member
from muster.team.policies import member_principal
from muster.team.queries import members
from tests.conftest import PASSWORD
from tests.integration.team.forms import send, text_of
from tests.naughty import naughty_from

pytestmark = pytest.mark.django_db(transaction=True)

_APP = "/profile/second-factors/app/"


@pytest.fixture
def secret(alice: Member) -> str:
    """Of the app Alice has set up in her browser."""
    browser = Client(enforce_csrf_checks=True)
    send(browser, "/login", {"email": alice.email, "password": PASSWORD})
    return set_up_app(browser)


def set_up_app(browser: Client) -> str:
    asked = browser.get(_APP)
    assert (asked.status_code, unquote(asked.headers["Location"])) == (302, f"/profile/confirm/?next={_APP}")
    confirmed = send(browser, "/profile/confirm/", {"password": PASSWORD, "next": _APP})
    assert (confirmed.status_code, confirmed.headers["Location"]) == (302, _APP)
    page = text_of(browser.get(_APP))
    [key] = re.findall(r'class="secret">(\w+)<', page)
    token = re.findall(r'csrfmiddlewaretoken" value="([^"]+)"', page)[0]
    done = browser.post(_APP, {"code": pyotp.TOTP(key).now(), "csrfmiddlewaretoken": token})
    assert (done.status_code, done.headers["Location"]) == (302, "/profile/second-factors/codes/")
    return str(key)


def _password(email: str = "alice@example.com", following: str = "") -> Client:
    """A browser that has given the password."""
    browser = Client(enforce_csrf_checks=True)
    given = send(browser, "/login", {"email": email, "password": PASSWORD, "next": following})
    assert (given.status_code, given.headers["Location"]) == (302, "/login/code")
    return browser


def _codes(browser: Client) -> list[str]:
    page = text_of(browser.get("/profile/second-factors/codes/"))
    return re.findall(r"<li><code>(\d+)</code>", page)


def _later(secret: str) -> str:
    """The code after the present one, which is taken as well: telephones' clocks differ."""
    return str(pyotp.TOTP(secret).at(int(time.time()) + 30))


def test_password_alone_opens_nothing_any_more(secret: str) -> None:
    browser = _password()
    assert browser.get("/jobs/").headers["Location"] == "/login?next=/jobs/"
    assert browser.get("/api/v1/me").status_code == 401
    for wrong in ("000000", "", "x" * 40, "１２３４５６"):
        refused = send(browser, "/login/code", {"code": wrong})
        assert (refused.status_code, 'role="alert"' in text_of(refused)) == (422, True)


def test_code_of_the_app_opens_and_leads_where_one_was(secret: str) -> None:
    browser = _password(following="/jobs/")
    entered = send(browser, "/login/code", {"code": _later(secret)})
    assert (entered.status_code, entered.headers["Location"]) == (302, "/jobs/")
    assert browser.get("/jobs/").status_code == 200


def test_code_opens_once(secret: str) -> None:
    """Also after the 30 seconds for which allauth itself remembers it."""
    code = _later(secret)
    assert send(_password(), "/login/code", {"code": code}).status_code == 302
    assert send(_password(), "/login/code", {"code": f"{code[:3]} {code[3:]}"}).status_code == 422


def test_code_of_long_ago_opens_nothing(secret: str) -> None:
    old = pyotp.TOTP(secret).at(int(time.time()) - 90)
    assert send(_password(), "/login/code", {"code": old}).status_code == 422


def test_recovery_codes_are_shown_once_and_open_once(alice: Member) -> None:
    browser = Client(enforce_csrf_checks=True)
    send(browser, "/login", {"email": alice.email, "password": PASSWORD})
    set_up_app(browser)
    codes = _codes(browser)
    assert (len(codes), len(set(codes)), _codes(browser)) == (10, 10, [])
    assert send(_password(), "/login/code", {"code": codes[3]}).headers["Location"] == "/"
    assert send(_password(), "/login/code", {"code": codes[3]}).status_code == 422
    assert "9 are left" in text_of(browser.get("/profile/"))

    renewed = send(browser, "/profile/second-factors/codes/renew/", {})
    assert renewed.headers["Location"] == "/profile/second-factors/codes/"
    assert send(_password(), "/login/code", {"code": codes[4]}).status_code == 422
    assert len(_codes(browser)) == 10


def test_secrets_of_the_app_are_not_in_the_database_as_they_are(secret: str) -> None:
    """Whoever has a copy of the database alone has no second factor."""
    stored = " ".join(str(row) for row in Authenticator.objects.values_list())
    assert (secret in stored, Authenticator.objects.count()) == (False, 2)
    file = connection.settings_dict["NAME"]
    with sqlite3.connect(file) as other:
        assert secret not in " ".join(other.iterdump())


def test_app_is_removed_and_the_codes_with_it(alice: Member) -> None:
    browser = Client(enforce_csrf_checks=True)
    send(browser, "/login", {"email": alice.email, "password": PASSWORD})
    set_up_app(browser)
    removed = send(browser, f"{_APP}remove/", {})
    assert (removed.status_code, Authenticator.objects.count()) == (302, 0)
    assert send(Client(), "/login", {"email": alice.email, "password": PASSWORD}).headers["Location"] == "/"
    assert [deed.action for deed in newest_deeds(4)] == [
        "member.second_factor_removed",
        "member.second_factor_removed",
        "member.second_factor_added",
        "member.second_factor_added",
    ]


def test_wrong_password_confirms_nothing(alice: Member) -> None:
    browser = Client(enforce_csrf_checks=True)
    send(browser, "/login", {"email": alice.email, "password": PASSWORD})
    refused = send(browser, "/profile/confirm/", {"password": "wrong", "next": _APP})
    assert (refused.status_code, "This is not your password." in text_of(refused)) == (422, True)
    assert browser.get(_APP).status_code == 302


def test_too_many_codes_lock_the_second_factor_and_say_until_when(secret: str) -> None:
    browser = _password()
    answers = [text_of(send(browser, "/login/code", {"code": "000000"})) for _ in range(6)]
    assert ["This code is not right." in answer for answer in answers] == [True] * 5 + [False]
    assert re.search(r"Too many attempts have failed\. Try again after \d+:\d\d", answers[5])
    # The right one does not help now, not even in another browser.
    assert send(_password(), "/login/code", {"code": _later(secret)}).status_code == 422


def test_owner_removes_the_factors_of_somebody_who_lost_them(alice: Member, bob: Member) -> None:
    browser = Client(enforce_csrf_checks=True)
    send(browser, "/login", {"email": bob.email, "password": PASSWORD})
    set_up_app(browser)
    assert {one.email: one.second_factor for one in members()} == {alice.email: False, bob.email: True}
    remove_second_factors(member_principal(alice), bob.id)
    assert (browser.get("/jobs/").status_code, Authenticator.objects.count()) == (302, 0)
    assert send(Client(), "/login", {"email": bob.email, "password": PASSWORD}).headers["Location"] == "/"
    [deed] = newest_deeds(1)
    said: dict[str, Any] = deed.details
    assert (deed.action, said["removed"]) == ("member.remove_second_factors", ["recovery_codes", "totp"])


@pytest.mark.untraced
def test_every_naughty_name_of_a_passkey_is_kept_or_refused(alice: Member) -> None:
    browser = Client(enforce_csrf_checks=True)
    send(browser, "/login", {"email": alice.email, "password": PASSWORD})
    key = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Laptop", "credential": {}})
    address = f"/profile/passkeys/{key.pk}/rename/"
    send(browser, "/profile/confirm/", {"password": PASSWORD, "next": address})
    token = browser.cookies["csrftoken"].value
    kept, texts = 0, naughty_from(2)
    for naughty in texts:
        answer = browser.post(address, {"name": naughty, "csrfmiddlewaretoken": token})
        kept += answer.status_code == 302
        assert answer.status_code in (302, 422), naughty
        if "<" in naughty:
            assert "<script>alert" not in text_of(browser.get("/profile/")), naughty
    assert len(texts) * 0.9 < kept < len(texts)


def test_nobody_touches_the_passkey_of_somebody_else(alice: Member, bob: Member) -> None:
    key = Authenticator.objects.create(user=bob, type="webauthn", data={"name": "Laptop", "credential": {}})
    browser = Client(enforce_csrf_checks=True)
    send(browser, "/login", {"email": alice.email, "password": PASSWORD})
    send(browser, "/profile/confirm/", {"password": PASSWORD, "next": "/profile/"})
    for verb in ("rename", "remove"):
        assert browser.get(f"/profile/passkeys/{key.pk}/{verb}/").status_code == 404
    assert Authenticator.objects.get().wrap().name == "Laptop"
