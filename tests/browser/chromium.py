"""Debian's Chromium, and tabs of it that keep everything it complains about."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
LOCALES = {"en": "en-US", "de": "de-DE", "fr": "fr-FR"}
# Rendering is the processor's here, and nothing is asked of the network but our own pages.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_STATUS = re.compile(r"responded with a status of (\d{3})")
# A hint that Chromium gives below the level of a warning: an attribute is missing.
_HINT = "[DOM]"
_PATIENCE_MILLISECONDS = 15_000

expect.set_options(timeout=_PATIENCE_MILLISECONDS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that is not there fails every test: without one nobody knows what people see."""
    path = shutil.which("chromium")
    assert path is not None, (
        "The tests of pages need Chromium: `apt-get install chromium` (`make test` does it as root)."
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """Tabs of one context; what they complain about fails the test, but statuses that it declares."""

    context: BrowserContext
    expected: set[int] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def tab(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        page.on("console", lambda message: self._told(page, message))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def _told(self, page: Page, message: ConsoleMessage) -> None:
        text = message.text
        if message.type not in ("warning", "error") and not text.startswith(_HINT):
            return
        status = _STATUS.search(text)
        if status is None or int(status[1]) not in self.expected:
            self.complaints.append(f"{page.url}: {message.type}: {text}")


def open_context(browser: Browser, base: str, language: str = "en", **options: Any) -> BrowserContext:
    options.setdefault("viewport", {"width": 1440, "height": 900})
    return browser.new_context(base_url=base, locale=LOCALES.get(language, language), timezone_id="UTC", **options)
