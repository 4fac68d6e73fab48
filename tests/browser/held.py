"""Answers that take as long as a test wants."""

from __future__ import annotations

from playwright.sync_api import Page, Route


class Held:
    """What a page asks of an address is not answered until it is let go; afterwards it is, as ever."""

    def __init__(self, tab: Page, address: str) -> None:
        self._waiting: list[Route] = []
        self._holding = True
        tab.route(f"**{address}", self._came)

    def _came(self, route: Route) -> None:
        if self._holding:
            self._waiting.append(route)
        else:
            route.continue_()

    def let_go(self) -> None:
        self._holding = False
        assert self._waiting
        for route in self._waiting:
            route.continue_()
