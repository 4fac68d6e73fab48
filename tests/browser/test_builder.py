"""The builder while answers are under way: what a button asked for is done, and nothing typed or chosen is lost."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.builder import ADDRESS, open_builder
from tests.browser.conftest import Open
from tests.browser.held import Held

# Longer than the builder waits before it sends what is typed (milliseconds).
_LONGER = 500
# Occupations of the sample.
_PARTS = ("Manag", "ement")


def _include(tab: Page) -> Locator:
    return tab.get_by_role("region", name="Include")


def _add_condition(tab: Page) -> None:
    _include(tab).get_by_role("button", name="Condition", exact=True).click()


def _kinds(tab: Page) -> Locator:
    return _include(tab).get_by_label("Kind of condition")


def _chips(tab: Page) -> Locator:
    return _include(tab).locator(".chip")


def test_a_button_pressed_right_after_typing_is_obeyed(inside: Open) -> None:
    tab = open_builder(inside().tab())
    held = Held(tab, ADDRESS)
    tab.get_by_label("Name", exact=True).fill("Typed in haste")
    _add_condition(tab)
    tab.wait_for_timeout(_LONGER)
    held.let_go()
    expect(_kinds(tab)).to_have_count(2)
    expect(tab.get_by_label("Name", exact=True)).to_have_value("Typed in haste")


def test_what_is_typed_while_a_button_is_obeyed_is_sent_afterwards(inside: Open) -> None:
    tab = open_builder(inside().tab())
    held = Held(tab, ADDRESS)
    _add_condition(tab)
    tab.get_by_label("Name", exact=True).fill("Typed meanwhile")
    tab.wait_for_timeout(_LONGER)
    with tab.expect_response(lambda one: "name=Typed+meanwhile" in (one.request.post_data or "")):
        held.let_go()
    expect(_kinds(tab)).to_have_count(2)
    expect(tab.get_by_label("Name", exact=True)).to_have_value("Typed meanwhile")
    tab.reload()
    expect(tab.get_by_label("Name", exact=True)).to_have_value("Typed meanwhile")


def test_a_second_press_before_the_first_is_answered_does_nothing(inside: Open) -> None:
    """The rows it was meant for may be others by then."""
    tab = open_builder(inside().tab())
    held = Held(tab, ADDRESS)
    _add_condition(tab)
    _add_condition(tab)
    held.let_go()
    expect(_kinds(tab)).to_have_count(2)
    tab.wait_for_timeout(_LONGER)
    expect(_kinds(tab)).to_have_count(2)


def test_saved_while_a_button_is_obeyed(inside: Open) -> None:
    tab = open_builder(inside().tab())
    tab.get_by_label("Name", exact=True).fill("Saved in haste")
    tab.get_by_label("Add a value").select_option("25-34")
    expect(tab.locator("#audience .big")).not_to_have_text("–")
    _add_condition(tab)
    expect(_kinds(tab)).to_have_count(2)
    held = Held(tab, ADDRESS)
    _include(tab).get_by_role("button", name=re.compile("Remove")).last.click()
    tab.get_by_role("button", name="Save segment").click()
    held.let_go()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Saved in haste")
    # Nothing of it was sent again after it was saved.
    tab.goto(ADDRESS)
    expect(tab.locator(".draft")).to_have_count(0)


def test_two_values_chosen_before_the_first_is_answered(inside: Open) -> None:
    tab = open_builder(inside().tab())
    held = Held(tab, ADDRESS)
    add = tab.get_by_label("Add a value")
    add.select_option("18-24")
    add.select_option("25-34")
    expect(_chips(tab)).to_have_text(["18 to 24", "25 to 34"])
    held.let_go()
    expect(_chips(tab).get_by_role("button")).to_have_count(2)
    expect(_chips(tab)).to_have_text(["18 to 24", "25 to 34"])
    expect(tab.locator("#audience .big")).not_to_have_text("–")


def test_a_word_typed_with_a_pause_is_one_value(inside: Open) -> None:
    tab = open_builder(inside().tab())
    for name, value in (("kind", "attribute/custom"), ("attribute", "occupation"), ("op", "in")):
        tab.locator(f'[name="in.nodes.0.{name}"]').select_option(value)
        expect(tab.locator(f'[name="in.nodes.0.{name}"]')).to_have_value(value)
        expect(tab.locator("#edit")).not_to_have_class(re.compile("htmx-request"))
    for label, chips in (
        ("Add a value", _chips(tab)),
        ("Add a tag", tab.get_by_role("group", name="Tags").locator(".chip")),
    ):
        field = tab.get_by_label(label)
        for part in _PARTS:
            field.press_sequentially(part, delay=20)
            tab.wait_for_timeout(_LONGER)
        expect(chips).to_have_count(0)
        field.press("Enter")
        expect(chips.get_by_role("button")).to_have_count(1)
        expect(chips).to_have_text(["".join(_PARTS)])
        expect(field).to_have_value("")
