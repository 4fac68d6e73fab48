"""Pages around the dashboard: set-up, what is empty, what is refused, and the step between password and code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import Axe
from tests.browser.chromium import Watched, open_context
from tests.browser.conftest import Open
from tests.browser.installation import environment_for, short_folder
from tests.browser.states import PASSWORD
from tests.integration.living import Living, living

WIDTHS = (1440, 390)
# Pages of an installation in which nothing has happened yet.
EMPTY = ("/", "/groups/", "/groups/compare", "/apps/", "/customers/", "/customers/imports/", "/jobs/")


@pytest.fixture
def new_installation() -> Iterator[Living]:
    with short_folder() as folder, living(environment_for(Path(folder) / "home")) as serving:
        yield serving


def _judge(tab: Page, what: str) -> list[str]:
    axe = Axe(tab)
    axe.load()
    found = []
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        found += [f"{what}: {width}: {told}" for told in axe.check()]
        wide = tab.evaluate("document.documentElement.scrollWidth")
        found += [f"{what}: {wide} px wide of {width}"] if wide > width else []
    tab.set_viewport_size({"width": WIDTHS[0], "height": 900})
    return found


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("de", "dark"), ("fr", "light")])
def test_beginning_is_accessible(browser: Browser, new_installation: Living, language: str, scheme: str) -> None:
    """D-15, D-18: the form, its refusal, the choice, and every page that is still empty."""
    server = new_installation.server
    watched = Watched(open_context(browser, server.address, language, color_scheme=scheme), expected={403, 404, 422})
    tab = watched.tab()
    tab.goto(f"/setup?token={server.setup_token}")
    found = _judge(tab, "set-up")
    _set_up(tab, "short")
    found += _judge(tab, "set-up, refused")
    _set_up(tab, PASSWORD)
    tab.wait_for_url("**/setup/begin/")
    found += _judge(tab, "how to begin")
    for address in EMPTY:
        tab.goto(address)
        found += _judge(tab, address)
    tab.goto("/groups/nothing/")
    found += _judge(tab, "not there")
    assert tab.locator("html").get_attribute("lang") == language
    watched.context.close()
    assert (found, watched.complaints) == ([], [])


def _set_up(tab: Page, password: str) -> None:
    tab.locator("[name=email]").fill("alice@example.com")
    tab.locator("[name=password]").fill(password)
    tab.locator("[name=organisation]").fill("Example")
    tab.locator("main button[type=submit], form button[type=submit]").last.click()


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("de", "light"), ("fr", "dark")])
def test_log_in_is_accessible(outside: Open, language: str, scheme: str) -> None:
    """A password that is wrong, then the step that asks for a code, and a code that is wrong."""
    watched = outside(language, color_scheme=scheme)
    watched.expected.update({422, 403})
    tab = watched.tab()
    tab.goto("/login")
    _log_in(tab, "not the password")
    expect(tab.get_by_role("alert").first).to_be_visible()
    found = _judge(tab, "wrong password")
    _log_in(tab, PASSWORD)
    expect(tab.locator("[name=code]")).to_be_visible()
    found += _judge(tab, "code")
    tab.locator("[name=code]").fill("000000")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("alert").first).to_be_visible()
    assert found + _judge(tab, "wrong code") == []


def _log_in(tab: Page, password: str) -> None:
    tab.locator("[type=email]").fill("bob@example.com")
    tab.locator("[type=password]").fill(password)
    tab.keyboard.press("Enter")
