"""D-41: without a network nothing typed is lost, the page says that it is out of date, and goes on afterwards."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.builder import ADDRESS, open_builder
from tests.browser.conftest import Open


def test_builder_goes_on_when_the_network_is_back(inside: Open) -> None:
    watched = inside()
    tab = open_builder(watched.tab())
    tab.get_by_label("Add a value").select_option("25-34")
    figure = tab.locator("#audience .big")
    expect(figure).not_to_have_text("–")
    before = figure.inner_text()
    watched.context.set_offline(True)
    tab.get_by_label("Name", exact=True).fill("Typed without a network")
    tab.get_by_label("Add a value").select_option("18-24")
    note = tab.locator("#stale")
    expect(note).to_contain_text("Muster does not answer")
    expect(tab.locator("#edit")).to_have_attribute("data-stale", "")
    expect(figure).to_have_text(before)
    with tab.expect_event("requestfailed"):
        note.get_by_role("button", name="Try again").click()
    expect(note).to_be_visible()
    watched.context.set_offline(False)
    # It asks by itself as soon as it can.
    expect(note).to_be_hidden()
    expect(tab.get_by_label("Name", exact=True)).to_have_value("Typed without a network")
    expect(figure).not_to_have_text(before)
    expect(tab.locator("#edit")).not_to_have_attribute("data-stale", "")
    assert _only_of_the_network(watched.complaints)


def test_what_a_proxy_says_does_not_replace_what_was_typed(inside: Open) -> None:
    watched = inside()
    watched.expected.add(502)
    tab = open_builder(watched.tab())

    def away(route: Route) -> None:
        route.fulfill(status=502, body="<h1>Bad Gateway</h1>", content_type="text/html")

    tab.route(f"**{ADDRESS}", away)
    tab.get_by_label("Name", exact=True).fill("Typed while it restarts")
    expect(tab.locator("#stale")).to_be_visible()
    expect(tab.get_by_label("Name", exact=True)).to_have_value("Typed while it restarts")
    tab.unroute(f"**{ADDRESS}")
    # Nobody says when a proxy reaches Muster again: it asks from time to time.
    expect(tab.locator("#stale")).to_be_hidden()
    expect(tab.locator(".draft")).to_be_visible()


def _only_of_the_network(complaints: list[str]) -> bool:
    """Those of Chromium about the answer that did not come are expected here, and taken note of."""
    expected = [told for told in complaints if "ERR_INTERNET_DISCONNECTED" in told or "htmx:error" in told]
    for told in expected:
        complaints.remove(told)
    return bool(expected) and not complaints
