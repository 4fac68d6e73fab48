"""Apps that send without end while what they send to is killed: what failed is sent again, as libraries do it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

MESSAGES_A_PERSON = 25
_LARGEST_BATCHES = (1, 12)
# Of batches that were not answered some are never sent again: their app was closed.
_SHARE_GIVEN_UP = 0.3
_SECONDS_BETWEEN_TRIES = 0.25

Message = dict[str, Any]


def message(number: int) -> Message:
    """Every person comes as a visitor, in a third of cases orders, opens the app, signs in, in a third orders now, and
    plays; every other one loses in the end."""
    person, step = divmod(number, MESSAGES_A_PERSON)
    told: Message = {"messageId": f"m{number}", "properties": {"n": number}}
    name = {"anonymousId": f"a{person}"} if step <= 1 else {"userId": f"u{person}"}
    if (person % 3, step) in ((0, 1), (1, 4)):
        order = {"order_id": f"o{number}", "revenue": 9.5, "currency": "EUR"}
        return {"type": "track", "event": "Order Completed", **told, **name, "properties": {"n": number, **order}}
    if step == 2:
        # It is a server that says so: of its own activity nobody wants to know.
        return {"type": "track", "event": "Application Opened", "context": {"active": True}, **told, **name}
    if step == 3:
        return {"type": "identify", "messageId": told["messageId"], **name, "anonymousId": f"a{person}"}
    lost = step >= MESSAGES_A_PERSON - 2 and person % 2
    return {"type": "track", "event": "Level Down" if lost else "Level Up", **told, **name}


def is_identify(number: int) -> bool:
    return number % MESSAGES_A_PERSON == 3


def _is_needed(number: int) -> bool:
    """Without them nobody knows that there is somebody."""
    return number % MESSAGES_A_PERSON in (2, 3)


class Sender:
    """A thread; `acknowledged`, `given_up`: numbers of messages. Persons of senders are others."""

    def __init__(self, place: int, count: int, key: str, address: Callable[[], str], pause_seconds: float) -> None:
        self.acknowledged: set[int] = set()
        self.given_up: set[int] = set()
        self.batches = self.resent = 0
        self.statuses: dict[int, int] = {}
        self._place, self._count, self._key = place, count, key
        self._address, self._pause = address, pause_seconds
        self._random = random.Random(place)
        self._stopped = threading.Event()
        self._sent = 0
        self._http = httpx.Client(base_url=address(), timeout=10)
        self._thread = threading.Thread(target=self._run, name=f"sender-{place}")
        self._thread.start()

    def end(self) -> None:
        """Everybody who has come signs in, and what was begun is sent until it is answered."""
        self._stopped.set()
        self._thread.join(120)
        assert not self._thread.is_alive()
        self._http.close()

    def _run(self) -> None:
        left: list[int] = []
        while left or not self._stopped.is_set() or self._sent % MESSAGES_A_PERSON:
            # What was not answered goes first, in whatever parcels.
            wanted = max(len(left), self._random.randint(1, self._random.choice(_LARGEST_BATCHES)))
            if self._stopped.is_set():
                wanted = len(left) + -self._sent % MESSAGES_A_PERSON
            batch = left + [self._next() for _ in range(wanted - len(left))]
            if self._post(batch):
                self.acknowledged |= set(batch)
                left = []
                self._stopped.wait(self._pause)
                continue
            if self._random.random() < _SHARE_GIVEN_UP and not any(map(_is_needed, batch)):
                self.given_up |= set(batch)
                batch = []
            left = batch
            self.resent += len(left)
            time.sleep(_SECONDS_BETWEEN_TRIES)

    def _next(self) -> int:
        person, step = divmod(self._sent, MESSAGES_A_PERSON)
        self._sent += 1
        return (person * self._count + self._place) * MESSAGES_A_PERSON + step

    def _post(self, batch: list[int]) -> bool:
        self.batches += 1
        body = {"batch": [message(number) for number in batch]}
        try:
            answer = self._client().post("/v1/batch", json=body, headers={"X-API-Key": self._key})
        except httpx.TransportError:
            return False
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        # Whatever else is answered makes libraries throw the batch away.
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200

    def _client(self) -> httpx.Client:
        """Kept as libraries keep theirs, until what is sent to is somewhere else."""
        address = self._address()
        if str(self._http.base_url).rstrip("/") != address:
            self._http.close()
            self._http = httpx.Client(base_url=address, timeout=10)
        return self._http
