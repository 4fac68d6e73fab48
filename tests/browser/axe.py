"""axe-core in a page, put there through the debugger: the content security policy stays on."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from playwright.sync_api import CDPSession, Page

from tests.browser.chromium import ROOT

_STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")
# What may differ between light and dark; everything else was judged in light.
_COLOURS = ("color-contrast", "link-in-text-block")
_RUN = """
axe.run(document, {runOnly: %s, resultTypes: ["violations"], preload: false}).then(found => found.violations.map(
  one => ({rule: one.id, nodes: one.nodes.map(node => node.target.join(" ") + ": " + node.failureSummary)})))
"""


@lru_cache
def _source() -> str:
    file = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    assert file.exists(), "run `make setup`, which gets axe-core"
    return file.read_text(encoding="utf-8")


class Axe:
    """`check` after each look of the page that is loaded; a page that was left is forgotten with its axe."""

    def __init__(self, page: Page) -> None:
        self._devtools: CDPSession = page.context.new_cdp_session(page)

    def load(self) -> None:
        self._evaluate(f"{_source()};0")

    def check(self, *, colours_only: bool = False) -> list[str]:
        chosen = {"type": "rule", "values": _COLOURS} if colours_only else {"type": "tag", "values": _STANDARDS}
        found = self._evaluate(_RUN % json.dumps(chosen))
        return [f"{one['rule']}: {node}" for one in found for node in one["nodes"]]

    def _evaluate(self, script: str) -> Any:
        sent = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self._devtools.send("Runtime.evaluate", sent)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")
