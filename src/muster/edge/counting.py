"""What this process counts of its requests: added up in plain numbers, handed on once a second (E-42)."""

from __future__ import annotations

from collections import Counter

from muster.metrics.figures import counter, durations


class Counts:
    """Used on the event loop, but for `committed`, which the spool's thread calls."""

    def __init__(self, folder: str) -> None:
        """Without a folder nothing is handed on."""
        self._requests: Counter[tuple[str, int]] = Counter()
        self._told = bool(folder)
        if self._told:
            self._total = counter("muster_edge_requests_total", "Requests by route and status", ("route", "status"))
            self._commits = durations("muster_edge_commit_seconds", "What a commit of the spool took")
            self._entries = counter("muster_edge_committed_requests_total", "Requests that are on disk")

    def answered(self, route: str, status: int) -> None:
        self._requests[route, status] += 1

    def committed(self, entries: int, seconds: float) -> None:
        if self._told:
            self._commits.observe(seconds)
            self._entries.inc(entries)

    def hand_on(self) -> None:
        if self._told:
            for (route, status), count in self._requests.items():
                self._total.labels(route, str(status)).inc(count)
        self._requests.clear()


def route_of(path: str) -> str:
    """Few names for many addresses: an address may name a person, a route never does (E-40)."""
    for prefix in ("/ofrep/v1/evaluate/flags/", "/edge/v1/positions/", "/edge/v1/consents/", "/v1/projects/"):
        if path.startswith(prefix):
            return prefix
    return path if path in _ROUTES else "other"


_ROUTES: set[str] = set()


def know_routes(paths: set[str]) -> None:
    _ROUTES.update(paths)
