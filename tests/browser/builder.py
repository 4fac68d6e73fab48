"""The builder of a new segment, as nobody has begun it: whoever was here before may have left a draft."""

from __future__ import annotations

from playwright.sync_api import Page, expect

ADDRESS = "/groups/new/segment/"


def open_builder(tab: Page) -> Page:
    tab.goto(ADDRESS)
    draft = tab.locator(".draft")
    if draft.count():
        draft.get_by_role("button").click()
        expect(draft).to_have_count(0)
    return tab
