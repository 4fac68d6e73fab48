"""Everything by keyboard alone: the focus is always seen, menus close by Escape, nothing needs a mouse (D-50)."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.builder import open_builder
from tests.browser.conftest import Open
from tests.browser.states import MEMBER

# An outline that is there and not under anything else.
_SEEN = """
(() => {
  const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
  if (it === document.body || (box.width <= 1 && box.height <= 1)) return true;
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const clear = !middle || it.contains(middle) || middle.contains(it) || middle.closest("label")?.contains(it);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && Boolean(clear);
})()
"""
_IS = "it => it.contains(document.activeElement) || it === document.activeElement"
_MOST_STEPS = 150


def _tab_to(tab: Page, role: str, name: str) -> None:
    """Presses Tab until it has the focus; on the way every focus is seen."""
    wanted = tab.get_by_role("main").get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]  # the type lists every role by name
    for _ in range(_MOST_STEPS):
        if wanted.evaluate(_IS):
            return
        tab.keyboard.press("Tab")
        assert tab.evaluate(_SEEN), tab.evaluate("document.activeElement.outerHTML")
    raise AssertionError(f"Tab does not reach the {role} {name!r} of {tab.url}")


def test_segment_is_created(inside: Open) -> None:
    tab = open_builder(inside().tab())
    tab.goto("/groups/")
    _tab_to(tab, "link", "Segment")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("New segment")
    _tab_to(tab, "textbox", "Name")
    tab.keyboard.type("Typed only")
    _tab_to(tab, "combobox", "Add a value")
    # A letter chooses in a list, as in every one.
    tab.keyboard.press("ArrowDown")
    expect(tab.locator("#audience .big")).not_to_have_text("–")
    tab.get_by_role("heading", level=1).evaluate("it => { it.tabIndex = -1; it.focus(); }")
    _tab_to(tab, "button", "Save segment")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Typed only")


def test_list_is_imported(inside: Open) -> None:
    tab = inside().tab()
    tab.goto("/groups/testers/import/")
    _tab_to(tab, "textbox", "E-mail addresses or ids, separated by spaces, commas, semicolons or line breaks")
    tab.keyboard.type(MEMBER)
    tab.get_by_role("heading", level=1).evaluate("it => { it.tabIndex = -1; it.focus(); }")
    _tab_to(tab, "button", "Begin the dry run")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("button", name="Apply", exact=True)).to_be_visible(timeout=30_000)
    _tab_to(tab, "button", "Apply")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("Applied", exact=True).first).to_be_visible(timeout=30_000)


def test_why_is_asked(inside: Open) -> None:
    tab = inside().tab()
    tab.goto("/why?group=testers")
    _tab_to(tab, "textbox", "Customer")
    tab.keyboard.type(MEMBER)
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("These entries of the list name this customer:")).to_be_visible()


def test_key_is_made_copied_and_revoked(inside: Open) -> None:
    watched = inside()
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = watched.tab()
    tab.goto("/apps/adventure-shop/keys/")
    _tab_to(tab, "link", "New key")
    tab.keyboard.press("Enter")
    # Of radio buttons Tab stops at the one that is chosen.
    _tab_to(
        tab,
        "radio",
        "Publishable key Stands in the app and is no secret: believed as far as anybody is who has the app.",
    )
    tab.keyboard.press("ArrowDown")
    _tab_to(tab, "textbox", "Name")
    tab.keyboard.type("Typed only")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Typed only")
    secret = tab.get_by_label("Server key", exact=True).input_value()
    assert secret.startswith("msk_")
    _tab_to(tab, "button", "Copy")
    tab.keyboard.press("Enter")
    expect(tab.locator("#once-copied")).to_be_visible()
    assert tab.evaluate("navigator.clipboard.readText()") == secret
    _tab_to(tab, "checkbox", "I know what still sends with it")
    tab.keyboard.press("Space")
    _tab_to(tab, "button", "Revoke for good")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("row", name="Typed only")).to_contain_text("Revoked")


def test_menu_closes_by_escape_and_by_a_click_elsewhere(inside: Open) -> None:
    """The focus goes back to what opened it."""
    tab = inside().tab()
    tab.goto("/groups/loyal-adventure-shop/")
    menu = tab.locator("details.menu.person")
    menu.locator("summary").focus()
    tab.keyboard.press("Enter")
    expect(menu).to_have_attribute("open", "")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    assert menu.locator("summary").evaluate("it => it === document.activeElement")
    tab.keyboard.press("Enter")
    expect(menu).to_have_attribute("open", "")
    tab.get_by_role("heading", level=1).click()
    expect(menu).not_to_have_attribute("open", "")
