"""A real Chromium, driven by Playwright, with a virtual authenticator for passkeys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright


@contextmanager
def chromium() -> Iterator[Browser]:
    """Missing, the test fails: without a browser nobody knows whether passkeys work."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path is not None, "These tests need Chromium: install Debian's package `chromium`."
    with sync_playwright() as playwright:
        # The sandbox wants rights that containers of CI do not have; every page is our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def watched(context: BrowserContext, messages: list[str]) -> Page:
    """A page whose errors are kept: what the policy refuses is told there."""
    page = context.new_page()
    page.on("console", lambda message: messages.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
    return page


def add_authenticator(page: Page) -> None:
    """A device that keeps passkeys and always finds its person present."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
