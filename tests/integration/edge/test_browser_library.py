"""Segment's library for browsers, unmodified, in Debian's Chromium: a shop's page sends to the edge (section 12)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import Watched, chromium, open_context
from tests.integration.edge.served import Served, served
from tests.integration.processes import wait_until

_LIBRARY = Path(__file__).parents[3] / "node_modules/@segment/analytics-next/dist/umd"
# As the snippet does: calls wait in a list until the library is there and takes them over.
_PAGE = """<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script>
const calls = window.analytics = [];
const methods = ["identify", "track", "page", "screen", "group", "alias", "ready", "on", "setAnonymousId", "reset"];
for (const method of methods) calls[method] = (...told) => { calls.push([method, ...told]); return calls; };
calls._writeKey = %(key)s;
calls._cdn = %(edge)s;
</script><script async src="/standalone.js"></script>"""
_CALLS = """user => new Promise((resolve) => {
  analytics.setAnonymousId(`visitor-${user}`)
  analytics.track("Level Up", { level: 7, world: "north" })
  analytics.page("Docs", "Home")
  analytics.screen("Main")
  analytics.identify(user, { email: `${user}@example.com`, birthday: "1990-01-01", plan: "pro" })
  analytics.group("g1", { seats: 5 })
  analytics.alias(user, `visitor-${user}`)
  analytics.track("Shared", {}, undefined, resolve)
})"""


@pytest.fixture(scope="module")
def installation(module_environment: dict[str, str]) -> Iterator[Served]:
    with served(module_environment) as running:
        running.living.post("/apps", {"key": "notes"}, 201)
        running.living.post("/apps/notes/events", {"key": "level_up", "properties": {"level": "number"}}, 201)
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@contextmanager
def _shop(installation: Served, key: str) -> Iterator[str]:
    """A page of another origin; answers its address."""
    edge = str(installation.edge.base_url).rstrip("/")
    page = (_PAGE % {"key": json.dumps(key), "edge": json.dumps(edge)}).encode()

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *told: Any) -> None:
            super().__init__(*told, directory=str(_LIBRARY))

        def do_GET(self) -> None:
            if self.path != "/":
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_told: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def _visit(browser: Browser, address: str, **options: Any) -> tuple[Watched, Page]:
    watched = Watched(open_context(browser, address, **options))
    page = watched.tab()
    page.goto("/")
    page.wait_for_function("!Array.isArray(window.analytics)")
    return watched, page


def _shown(installation: Served, who: str) -> dict[str, Any]:
    answer = installation.living.local.get(f"/customers/{who}")
    return dict(answer.json()) if answer.status_code == 200 else {}


def test_library_of_browsers_is_understood(installation: Served, browser: Browser) -> None:
    """E-10, E-41: it begins with settings of the edge, and sends there what is called in a page."""
    with _shop(installation, installation.key("publishable")) as address:
        watched, page = _visit(browser, address)
        page.evaluate(_CALLS, "nora")
        assert watched.complaints == []
        wait_until(lambda: _shown(installation, "external:nora").get("attributes", {}).get("account_id") == "g1")
        watched.context.close()
    shown = _shown(installation, "external:nora")
    assert (shown["attributes"]["plan"], shown["birthday"]) == ("pro", "1990-01-01")
    # Anybody can say so in a browser: it is no proof (C-10).
    assert [(one["address"], one["verified"]) for one in shown["emails"]] == [("nora@example.com", False)]
    assert shown["anonymous_ids"] == [{"app": "notes", "id": "visitor-nora"}]


def test_library_of_a_page_that_is_not_allowed_is_refused(installation: Served, browser: Browser) -> None:
    """E-10: by the browser's word where the page is from."""
    here = installation.living
    here.post("/apps", {"key": "closed", "settings": {"allowed_origins": ["https://shop.example"]}}, 201)
    with _shop(installation, installation.key("publishable", "closed")) as address:
        watched, page = _visit(browser, address)
        watched.expected.add(403)
        answered: list[int] = []
        page.on("response", lambda response: answered.append(response.status))
        page.evaluate(_CALLS, "olaf")
        # The browser tells only while it is waited for.
        wait_until(lambda: page.wait_for_timeout(50) or len(answered) >= 7)
        assert (set(answered), watched.complaints) == ({403}, [])
        watched.context.close()
    answer = installation.send(installation.key(), {"type": "identify", "userId": "last"})
    installation.wait_for(answer.headers["x-muster-position"])
    assert _shown(installation, "external:olaf") == {}
