"""An app's key as people meet it: made, copied, tried at the edge, revoked; also while its secret is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import Axe
from tests.browser.chromium import Watched, open_context
from tests.browser.conftest import Open
from tests.browser.installation import Sample, served
from tests.browser.test_every_page import LOOKS, NARROW, WIDE
from tests.integration.edge.served import EDGE
from tests.integration.processes import wait_until

PAGE = "/apps/adventure-shop/keys/"


@pytest.fixture
def beside_an_edge(browser: Browser, sample: Sample) -> Iterator[tuple[Watched, httpx.Client]]:
    """The owner's browser, and the edge of the same installation."""
    with served(sample, **EDGE) as installation, httpx.Client(base_url=installation.server.edge or "") as edge:
        state = {"cookies": sample.cookies["owner"], "origins": []}
        watched = Watched(open_context(browser, installation.server.address, storage_state=state))
        yield watched, edge
        watched.context.close()
        assert watched.complaints == []


def test_key_is_made_copied_tried_and_revoked(beside_an_edge: tuple[Watched, httpx.Client]) -> None:
    watched, edge = beside_an_edge
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = watched.tab()
    tab.goto("/apps/adventure-rides/keys/")
    expect(tab.locator("#command-ingest")).to_contain_text(f"curl '{edge.base_url}".rstrip("/"))
    tab.get_by_role("link", name="Make a key").click()
    tab.get_by_role("radio", name="Server key").check()
    tab.get_by_label("Name", exact=True).fill("Ticket office")
    tab.get_by_role("button", name="Make the key").click()
    tab.get_by_role("button", name="Copy", exact=True).click()
    expect(tab.locator("#once-copied")).to_be_visible()
    secret = tab.evaluate("navigator.clipboard.readText()")
    assert secret not in tab.url
    assert _taken(edge, secret) == 200
    tab.get_by_role("button", name="Copy Send a first event").click()
    expect(tab.locator("#command-ingest-copied")).to_be_visible()
    assert "/v1/track?verdicts=1" in tab.evaluate("navigator.clipboard.readText()")
    tab.reload()
    expect(tab.get_by_text("The key itself was shown once, when it was made.")).to_be_visible()
    assert secret not in tab.content()
    wait_until(lambda: _tells_of_a_message(tab))
    tab.get_by_role("button", name="Revoke for good").click()
    # The browser asks for the tick first.
    assert tab.locator("[name=sure]").evaluate("it => it.matches(':invalid')")
    tab.get_by_label("I know what still sends with it").check()
    tab.get_by_role("button", name="Revoke for good").click()
    row = tab.get_by_role("row", name="Ticket office")
    expect(row).to_contain_text("Revoked")
    expect(row).to_contain_text(re.compile(r"second|minute"))
    assert _taken(edge, secret) == 401


def _taken(edge: httpx.Client, key: str) -> int:
    message = {"anonymousId": "first-try", "event": "Application Opened"}
    statuses: list[int] = []

    def answers() -> bool:
        with suppress(httpx.TransportError):
            statuses.append(edge.post("/v1/track", json=message, auth=(key, "")).status_code)
        return bool(statuses) and statuses[-1] != 503

    wait_until(answers)
    return statuses[-1]


def _tells_of_a_message(tab: Page) -> bool:
    """What the edge took is in the warehouse within a second."""
    tab.reload()
    return tab.get_by_text("none in 30 days").count() == 0


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_page_is_accessible_while_the_secret_is_seen(inside: Open, language: str, scheme: str) -> None:
    tab = inside(language, color_scheme=scheme).tab()
    for width in (WIDE, NARROW):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto(f"{PAGE}new")
        tab.locator("[name=kind][value=server]").check()
        tab.locator("main [type=submit]").click()
        expect(tab.locator("#once")).to_have_value(re.compile("msk_"))
        axe = Axe(tab)
        axe.load()
        assert axe.check() == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        tab.locator("[name=sure]").check()
        tab.locator("[value=revoke]").click()
        expect(tab.locator("#keys")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_tab_one_is_on_is_seen_on_a_small_screen(inside: Open, language: str) -> None:
    tab = inside(language, viewport={"width": NARROW, "height": 900}).tab()
    for page in ("", "keys/", "incoming/"):
        tab.goto(f"/apps/adventure-shop/{page}")
        box = tab.locator("nav.tabs [aria-current]").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW


def test_key_is_made_and_revoked_without_scripts(inside: Open) -> None:
    """The field can be copied from; the buttons that need scripts are not there."""
    tab = inside(java_script_enabled=False).tab()
    tab.goto(f"{PAGE}new")
    tab.get_by_role("radio", name="Server key").check()
    tab.get_by_label("Name", exact=True).fill("Without scripts")
    tab.get_by_role("button", name="Make the key").click()
    expect(tab.get_by_label("Server key", exact=True)).to_have_value(re.compile("msk_"))
    expect(tab.get_by_role("button", name=re.compile("^Copy"))).to_have_count(0)
    tab.get_by_label("I know what still sends with it").check()
    tab.get_by_role("button", name="Revoke for good").click()
    expect(tab.get_by_role("row", name="Without scripts")).to_contain_text("Revoked")


def test_what_is_selected_is_copied_where_there_is_no_clipboard(inside: Open) -> None:
    """As over plain HTTP from another machine: then browsers do it the old way."""
    watched = inside()
    watched.context.grant_permissions(["clipboard-read"])
    tab = watched.tab()
    tab.goto(PAGE)
    tab.get_by_role("link", name="Adventure Shop for Windows").click()
    value = tab.locator("#once").input_value()
    reading = tab.evaluate_handle("navigator.clipboard")
    tab.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    tab.get_by_role("button", name="Copy", exact=True).click()
    expect(tab.locator("#once-copied")).to_be_visible()
    assert reading.evaluate("it => it.readText()") == value
