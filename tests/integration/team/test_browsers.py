"""Passkeys and OpenID Connect as they happen: Chromium, a served installation, a provider that is its own program."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.pages import Browser as PlainBrowser
from tests.integration.processes import Serving, muster, serving
from tests.integration.team.chromium import add_authenticator, chromium, watched

_PASSWORD = "correct horse battery"
_PEOPLE = {
    "alice": {"email": "Alice@Example.com", "email_verified": True},
    "unverified": {"email": "alice@example.com", "email_verified": False},
    "said": {"email": "alice@example.com", "email_verified": "false"},
    "stranger": {"email": "mallory@example.com", "email_verified": True},
    "nameless": {},
}


def _free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _provider(port: int, redirect: str) -> Iterator[None]:
    node = shutil.which("node")
    assert node is not None, "These tests need Node.js: install Debian's package `nodejs`."
    program = Path(__file__).with_name("provider.mjs")
    command = [node, str(program), str(port), redirect, json.dumps(_PEOPLE)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", "Run `npm ci`: the provider is an npm package."
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def issuer_port() -> int:
    return _free_port()


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str], issuer_port: int) -> Iterator[Serving]:
    """Served with a provider; Alice owns it."""
    port = _free_port()
    environment = {
        **module_environment,
        "MUSTER_PORT": str(port),
        "MUSTER_OIDC_ISSUER": f"http://127.0.0.1:{issuer_port}",
        "MUSTER_OIDC_CLIENT_ID": "muster",
        "MUSTER_OIDC_SECRET": "a secret of the provider",
        "MUSTER_OIDC_LABEL": "Example’s log-in",
    }
    with serving(environment) as served:
        with httpx.Client(base_url=served.address, timeout=60) as client:
            PlainBrowser(client).set_up(served.setup_token)
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def _local(town: Serving, path: str) -> str:
    """Passkeys belong to names, not to numbers."""
    return f"http://localhost:{town.port}{path}"


def _log_in(town: Serving, page: Page) -> None:
    page.goto(_local(town, "/login"))
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(_PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def test_passkey_logs_in_confirms_and_is_a_second_factor(town: Serving, browser: Browser) -> None:
    messages: list[str] = []
    context = browser.new_context()
    page = watched(context, messages)
    add_authenticator(page)
    _log_in(town, page)
    page.goto(_local(town, "/profile/passkeys/add/"))
    page.get_by_label("Password").fill(_PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Laptop <b>")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto(_local(town, "/profile/"))
    expect(page.locator("bdi", has_text="Laptop <b>")).to_be_visible()

    # As what opens the account by itself, leading where one was.
    context.clear_cookies()
    page.goto(_local(town, "/jobs/"))
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()

    # As second factor after the password.
    context.clear_cookies()
    _log_in(town, page)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    # As confirmation before something that matters.
    page.goto(_local(town, "/profile/second-factors/app/"))
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()

    page.goto(_local(town, "/profile/"))
    page.get_by_role("link", name="Rename Laptop").click()
    page.get_by_label("Name").fill("Desk")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("link", name="Remove Desk").click()
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("There is none yet. With one you log in")).to_be_visible()
    page.get_by_text("alice@example.com").first.click()
    page.locator(".person").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    context.close()
    # Nothing ships an icon of the site yet, which browsers ask for by themselves.
    assert [message for message in messages if "404" not in message] == []


def test_passkey_nobody_knows_opens_nothing(town: Serving, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    add_authenticator(page)
    page.goto(_local(town, "/login"))
    expect(page.get_by_text("The browser did not get a passkey.")).to_be_hidden()
    with page.expect_response("**/login/passkey"):
        page.get_by_role("button", name="Log in with a passkey").click()
    # The device has none: the browser says so, not the server.
    expect(page.get_by_text("The browser did not get a passkey.")).to_be_visible(timeout=70_000)
    made_up = json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}})
    for credential in ("", "{", "[]", "null", made_up, "x" * 10_000):
        answer = page.request.post(
            _local(town, "/login/passkey"),
            form={"credential": credential, "csrfmiddlewaretoken": _token(page)},
            headers={"Referer": _local(town, "/login")},
        )
        assert (answer.status, "This passkey is not known here." in answer.text()) == (422, True), credential
    context.close()


def _token(page: Page) -> str:
    return str(page.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value"))


@pytest.fixture(scope="module")
def provider(town: Serving, issuer_port: int) -> Iterator[None]:
    with _provider(issuer_port, f"{town.address}/login/oidc/callback/"):
        yield


def _through_provider(town: Serving, browser: Browser, subject: str) -> Any:
    """Where somebody ends who tells the provider who they are."""
    messages: list[str] = []
    context = browser.new_context()
    page = watched(context, messages)
    page.goto(f"{town.address}/jobs/")
    page.get_by_role("button", name="Log in with Example’s log-in").click()
    page.locator("input[name=login]").fill(subject)
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{town.address}/**")
    told = (page.get_by_role("heading", level=1).inner_text(), page.locator("code").all_inner_texts())
    refused = [message for message in messages if "Content Security Policy" in message and town.address in message]
    context.close()
    return (*told, refused)


def test_verified_address_of_a_member_logs_in_and_connects(provider: None, town: Serving, browser: Browser) -> None:
    for _ in range(2):
        assert _through_provider(town, browser, "alice")[0] == "Jobs"


@pytest.mark.parametrize("subject", ["unverified", "said", "stranger", "nameless"])
def test_anybody_else_is_refused_with_a_sentence(provider: None, town: Serving, browser: Browser, subject: str) -> None:
    heading, codes, refused = _through_provider(town, browser, subject)
    assert (heading, codes, refused) == ("This did not work", ["provider_refused"], [])


def test_provider_that_does_not_answer_is_named(module_environment: dict[str, str], town: Serving) -> None:
    """Nothing listens at the issuer here; the page says what to do instead."""
    with httpx.Client(base_url=town.address, timeout=60) as client:
        answer = client.get("/login/oidc/callback/", params={"state": "made-up", "code": "x"})
        assert (answer.status_code, "provider_failed" in answer.text) == (401, True)
        assert client.get("/login/other/callback/").status_code == 404
        assert client.get("/login/oidc/").status_code == 405


def test_wrong_settings_of_the_provider_refuse_to_start(module_environment: dict[str, str]) -> None:
    for changes, said in (
        ({"MUSTER_OIDC_ISSUER": "https://login.example.com"}, "MUSTER_OIDC_CLIENT_ID"),
        ({"MUSTER_OIDC_ISSUER": "login.example.com"}, "MUSTER_OIDC_ISSUER"),
        ({"MUSTER_URL": "muster.example.com"}, "MUSTER_URL"),
    ):
        ended = muster({**module_environment, **changes}, "serve")
        assert (ended.returncode != 0, said in ended.stderr) == (True, True)


def test_behind_a_proxy_that_adds_tls_forms_and_the_provider_work(
    environment: dict[str, str], issuer_port: int, provider: None
) -> None:
    """Requests arrive as plain HTTP, browsers name the origin they see."""
    address = "https://muster.example.com"
    settings = {
        "MUSTER_URL": f"{address}/",
        "MUSTER_OIDC_ISSUER": f"http://127.0.0.1:{issuer_port}",
        "MUSTER_OIDC_CLIENT_ID": "muster",
        "MUSTER_OIDC_SECRET": "a secret of the provider",
    }
    with serving({**environment, **settings}) as served, httpx.Client(base_url=served.address, timeout=60) as client:
        client.headers["Host"] = "muster.example.com"
        page = client.get("/login")
        cookie = page.headers["Set-Cookie"]
        assert (page.status_code, "Secure" in cookie, "Log in with OpenID Connect" in page.text) == (200, True, True)
        [token] = re.findall(r'csrfmiddlewaretoken" value="([^"]+)"', page.text)[:1]
        headers = {"Origin": address, "Cookie": cookie.partition(";")[0]}
        fields = {"email": "a@example.com", "password": "wrong", "csrfmiddlewaretoken": token}
        assert client.post("/login", data=fields, headers=headers).status_code == 422
        foreign = {**headers, "Origin": "https://evil.example"}
        assert client.post("/login", data=fields, headers=foreign).status_code == 403
        handed = client.post("/login/oidc/", data=fields, headers=headers)
        assert "redirect_uri=https%3A%2F%2Fmuster.example.com%2Flogin%2Foidc%2Fcallback%2F" in handed.headers["Refresh"]
