"""From the edge into the warehouse, each item exactly once, whoever is killed when (E-18, C-32)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.edge.served import Served, all_drained, asked, edge_processes, kill_edges, served
from tests.integration.processes import kill, wait_until


def _track(number: int, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "userId": f"u{number % 10}", "event": "Level Up", "messageId": f"m{number}", **fields}


def test_what_is_sent_is_known_of_the_customer(environment: dict[str, str], home: Path) -> None:
    """identify, order and a custom event; what is refused is kept with its verdict."""
    with served(environment) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        key = installation.key()
        answer = installation.send(
            key,
            {
                "type": "identify",
                "userId": "u1",
                "traits": {"email": "ann@example.com", "country": "Norway", "Plan": "pro"},
            },
            {
                "type": "track",
                "userId": "u1",
                "event": "Order Completed",
                "messageId": "m1",
                "properties": {"order_id": "o1", "revenue": 14.99, "currency": "EUR"},
            },
            {"type": "track", "userId": "u1", "event": "Level Up", "properties": {"level": 3}},
            {"type": "track", "event": "Level Up"},
        )
        assert answer.status_code == 200
        installation.wait_for(answer.headers["x-muster-position"])
        shown = installation.living.get("/customers/external:u1")
        attributes = shown["attributes"]
        assert (attributes["country"], attributes["plan"], attributes["purchase_count"]) == ("NO", "pro", 1)
        again = installation.send(key, {"type": "track", "userId": "u1", "event": "Order Completed", "messageId": "m1"})
        installation.wait_for(again.headers["x-muster-position"])
    assert asked(home, "SELECT code, count(*) FROM rejects GROUP BY 1") == [("identity_missing", 1)]
    assert asked(home, "SELECT count(*) FROM order_entries") == [(1,)]


def test_revoked_key_opens_nothing_at_once(environment: dict[str, str]) -> None:
    """E-35: before the call that revoked it returns."""
    with served(environment) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        made = installation.living.post("/apps/notes/keys", {"kind": "publishable"}, 201)
        assert installation.send(made["key"], _track(1)).status_code == 200
        installation.living.post(f"/apps/notes/keys/{made['id']}/revoke", {}, 200)
        refused = installation.send(made["key"], _track(2))
        assert (refused.status_code, refused.json()["code"]) == (401, "app_key_invalid")


@pytest.mark.parametrize("first", ["control", "edge", "both"])
def test_everything_answered_is_there_once_after_kills(environment: dict[str, str], home: Path, first: str) -> None:
    """E-18: killed under load; each acknowledged item is in the warehouse, each once."""
    sender = _Sender()
    with served(environment) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        sender.key = installation.key()
    for seconds in (0.3, 0.7, 1.1):
        with _killed_at_the_end(environment, home, first) as installation:
            sender.begin(installation)
            time.sleep(seconds)
        sender.end()
    with served(environment) as installation:
        last = installation.send(sender.key, _track(sender.next, properties={"n": sender.next}))
        installation.wait_for(last.headers["x-muster-position"])
        # What lies in slots that nobody has any more was there before.
        wait_until(lambda: all_drained(installation))
    assert asked(home, "SELECT count(*) - count(DISTINCT hash) FROM all_events") == [(0,)]
    assert (len(sender.answered) > 20, sender.lost(home)) == (True, [])


@contextmanager
def _killed_at_the_end(environment: dict[str, str], home: Path, first: str) -> Iterator[Served]:
    with ExitStack() as stack:
        installation = stack.enter_context(served(environment))
        yield installation
        if first != "control":
            assert kill_edges(home) == 1
        kill(installation.living.server.process)
        # Its supervisor has gone: the edge ends by itself.
        wait_until(lambda: not edge_processes(home))
        with pytest.raises(AssertionError):
            stack.close()


class _Sender:
    """Sends one after the other, and remembers what was answered with 200."""

    def __init__(self) -> None:
        self.key = ""
        self.next = 0
        self.answered: list[int] = []

    def begin(self, installation: Served) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(str(installation.edge.base_url),))
        self._thread.start()

    def end(self) -> None:
        self._stopped.set()
        self._thread.join()

    def lost(self, home: Path) -> list[int]:
        """What was answered with 200 and is not in the warehouse."""
        found = {number for (number,) in asked(home, "SELECT CAST(CAST(props AS JSON)->>'$.n' AS INT) FROM all_events")}
        return sorted(set(self.answered) - found)

    def _run(self, address: str) -> None:
        with httpx.Client(base_url=address, timeout=5) as edge:
            while not self._stopped.is_set():
                number = self.next
                self.next += 1
                body = {"batch": [_track(number, properties={"n": number})]}
                try:
                    answer = edge.post("/v1/batch", json=body, headers={"X-API-Key": self.key})
                except httpx.TransportError:
                    time.sleep(0.02)
                    continue
                if answer.status_code == 200:
                    self.answered.append(number)
