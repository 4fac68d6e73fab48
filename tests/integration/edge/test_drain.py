"""From the edge into the warehouse, each item exactly once, whoever is killed when (E-18, C-32)."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.integration.edge.served import Served, asked, kill_edges, served
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
            {"type": "identify", "userId": "u1", "traits": {"email": "ann@example.com", "country": "Norway", "Plan": "pro"}},
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


def test_everything_answered_is_there_once_after_kills(environment: dict[str, str], home: Path) -> None:
    """E-18: edge and control killed under load, then the edge alone; each acknowledged item is there, each once."""
    sender = _Sender()
    for round in range(4):
        with served(environment) as installation:
            if not round:
                installation.living.post("/apps", {"key": "notes"}, 201)
                sender.key = installation.key()
            sender.begin(installation)
            if round == 3:
                time.sleep(1)
                assert kill_edges(home) == 1
                wait_until(lambda: _takes(installation, sender.key))
            else:
                time.sleep(0.4 + 0.3 * round)
                if round % 2:
                    kill_edges(home)
                kill(installation.living.server.process)
            sender.end()
            if round == 3:
                last = installation.send(sender.key, _track(sender.next))
                installation.wait_for(last.headers["x-muster-position"])
                wait_until(lambda: not _waits(home, installation))
    there = asked(home, "SELECT hash, count(*) FROM all_events GROUP BY 1 HAVING count(*) > 1")
    assert there == []
    [(stored,)] = asked(home, "SELECT count(*) FROM all_events")
    assert sender.acknowledged > 50
    assert stored >= sender.acknowledged + 1
    assert sender.next + 1 >= stored
    assert sender.lost(home) == []


def _takes(installation: Served, key: str) -> bool:
    try:
        return installation.edge.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _waits(home: Path, installation: Served) -> bool:
    return False


class _Sender:
    """Sends one after the other, and remembers what was answered with 200."""

    def __init__(self) -> None:
        self.key = ""
        self.next = 0
        self.answered: list[int] = []

    @property
    def acknowledged(self) -> int:
        return len(self.answered)

    def begin(self, installation: Served) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(str(installation.edge.base_url),))
        self._thread.start()

    def end(self) -> None:
        self._stopped.set()
        self._thread.join()

    def lost(self, home: Path) -> list[int]:
        found = {int(number) for (number,) in asked(home, "SELECT props->>'$.n' FROM (SELECT CAST(props AS JSON) AS props FROM all_events)") if number}
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
