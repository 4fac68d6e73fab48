"""What was asked for first, clicked through in German and in French: a segment, a list of people, and why."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from tests.browser.builder import open_builder
from tests.browser.conftest import Open

# Of Microsoft's sample: one who spent much and is between 25 and 34, and others.
PEOPLE = ("aaron10@adventure-works.com", "aaron11@adventure-works.com", "nobody-yet@example.com")
THOUSAND = {"de": "1.000", "fr": "1 000"}
NAMES = {"de": ("Junge Vielkäufer", "Testgruppe"), "fr": ("Jeunes gros acheteurs", "Groupe d’essai")}


def _speaking(language: str) -> Callable[[str], str]:
    """What a text of the pages is called in a language."""

    def say(text: str, context: str | None = None) -> str:
        with translation.override(language):
            return translation.pgettext(context, text) if context else translation.gettext(text)

    return say


@pytest.mark.parametrize("language", ["de", "fr"])
def test_segment_list_and_why_are_clicked_through(inside: Open, language: str) -> None:
    say = _speaking(language)
    segment, known = NAMES[language]
    tab = open_builder(inside(language).tab())
    tab.goto("/")
    _groups(tab, say)
    _create_segment(tab, say, segment, THOUSAND[language])
    _groups(tab, say)
    _create_list(tab, say, known)
    _groups(tab, say)
    for name in (segment, known):
        expect(tab.get_by_role("link", name=name, exact=True)).to_be_visible()
    _ask_why(tab, say, known)


def _groups(tab: Page, say: Callable[..., str]) -> None:
    # The other one is the menu of narrow screens.
    main = tab.get_by_role("navigation", name=say("Main")).last
    main.get_by_role("link", name=say("Customer groups")).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text(say("Customer groups"))


def _create_segment(tab: Page, say: Callable[..., str], name: str, amount: str) -> None:
    """18 to 34 years old, and more than a thousand spent: a demographic and a revenue criterion."""
    tab.get_by_role("main").get_by_role("link", name=say("Segment"), exact=True).click()
    tab.get_by_label(say("Name"), exact=True).fill(name)
    add = tab.get_by_label(say("Add a value"))
    add.select_option("18-24")
    expect(tab.locator("#audience .big")).not_to_have_text("–")
    add.select_option("25-34")
    include = tab.get_by_role("region", name=say("Include"))
    include.get_by_role("button", name=say("Condition"), exact=True).click()
    kinds = include.get_by_label(say("Kind of condition"))
    expect(kinds).to_have_count(2)
    kinds.nth(1).select_option(label=say("Store spend"))
    value = include.get_by_label(say("Value"), exact=True)
    before = tab.locator("#audience .big").inner_text()
    value.click()
    value.press_sequentially(amount, delay=30)
    expect(tab.locator("#audience .big")).not_to_have_text(before)
    expect(value).to_have_value(amount)
    told = tab.locator("#audience .big").inner_text()
    tab.get_by_role("button", name=say("Save segment")).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text(name)
    assert _digits(told) == _digits(tab.locator(".kpis .big").first.inner_text())


def _create_list(tab: Page, say: Callable[..., str], name: str) -> None:
    tab.get_by_role("link", name=say("Known user group")).click()
    tab.get_by_label(say("Name"), exact=True).fill(name)
    tab.get_by_role("button", name=say("Create")).click()
    tab.get_by_role("link", name=say("Add or import")).click()
    tab.get_by_label(say("E-mail addresses or ids, separated by spaces, commas, semicolons or line breaks")).fill(
        "\n".join(PEOPLE)
    )
    tab.get_by_role("button", name=say("Begin the dry run")).click()
    tab.get_by_role("button", name=say("Apply"), exact=True).click()
    # The page looks again by itself until the list is in force.
    expect(tab.get_by_text(say("Applied"), exact=True).first).to_be_visible(timeout=30_000)


def _ask_why(tab: Page, say: Callable[..., str], group: str) -> None:
    tab.locator("#why-group").select_option(label=group)
    tab.locator("#why-customer").fill(PEOPLE[0])
    tab.get_by_role("button", name=say("Why?")).click()
    expect(tab.get_by_text(say("These entries of the list name this customer:"))).to_be_visible()
    expect(tab.get_by_text(PEOPLE[0])).to_be_visible()


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
