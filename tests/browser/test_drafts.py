"""D-14: what is typed into a larger form is kept, however long the answers take."""

from __future__ import annotations

from tests.browser.conftest import Open
from tests.browser.held import Held

_ADDRESS = "/apps/new"
# Longer than these forms wait before they send what is typed (milliseconds).
_LONGER = 1_300


def test_what_was_typed_last_is_kept(inside: Open) -> None:
    tab = inside().tab()
    tab.goto(_ADDRESS)
    held = Held(tab, _ADDRESS)
    key = tab.get_by_label("Key", exact=True)
    for part in ("one", "two", "three", "four"):
        key.press_sequentially(part)
        tab.wait_for_timeout(_LONGER)
    with tab.expect_response(lambda answer: "onetwothreefour" in (answer.request.post_data or "")):
        held.let_go()
    tab.reload()
    assert key.input_value() == "onetwothreefour"
