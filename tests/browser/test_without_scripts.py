"""The main flows with scripts off: plain forms, links and pages that look again by themselves (D-1)."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.builder import open_builder
from tests.browser.conftest import Open
from tests.browser.states import MEMBER


def test_segment_is_created(inside: Open) -> None:
    tab = open_builder(inside(java_script_enabled=False).tab())
    tab.get_by_label("Name", exact=True).fill("Without scripts")
    tab.get_by_label("Add a value").select_option("25-34")
    tab.get_by_role("button", name="Show the figures again").last.click()
    expect(tab.locator("#audience .big")).not_to_have_text("–")
    tab.get_by_role("button", name="Save segment").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Without scripts")


def test_list_is_made_filled_and_explains(inside: Open) -> None:
    tab = inside(java_script_enabled=False).tab()
    tab.goto("/groups/new/known/")
    tab.get_by_label("Name", exact=True).fill("Plain list")
    tab.get_by_role("button", name="Create").click()
    tab.get_by_role("link", name="Add or import").click()
    tab.get_by_label("E-mail addresses or ids", exact=False).fill(MEMBER)
    tab.get_by_role("button", name="Begin the dry run").click()
    tab.get_by_role("button", name="Apply", exact=True).click(timeout=30_000)
    expect(tab.get_by_text("Applied", exact=True).first).to_be_visible(timeout=30_000)
    tab.goto("/why")
    tab.locator("#why-group").select_option(label="Plain list")
    tab.get_by_label("Customer", exact=True).fill(MEMBER)
    tab.get_by_role("main").get_by_role("button", name="Why?").click()
    expect(tab.get_by_text("These entries of the list name this customer:")).to_be_visible()
