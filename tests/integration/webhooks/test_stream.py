"""A stream of what apps send becomes a few deliveries that name everybody once (G-17)."""

from __future__ import annotations

import time
from typing import Any

from standardwebhooks import Webhook

from tests.integration.edge.served import served
from tests.integration.processes import wait_until
from tests.integration.webhooks.conftest import NORWAY, arrive, made
from tests.integration.webhooks.receivers import Receiver, receiver


def _data(one: Receiver, secret: str) -> list[dict[str, Any]]:
    return [Webhook(secret).verify(heard.body, heard.headers)["data"] for heard in one.heard]


def test_stream_of_events_is_told_in_few_deliveries(opened: dict[str, str]) -> None:
    with receiver() as one, served(opened) as running:
        town = running.living
        town.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        floor = town.local.patch("/publisher", json={"minimum_size": 0}, headers={"If-Match": '"1"'})
        assert floor.status_code == 200, floor.text
        arrive(town, *(f"u{n}" for n in range(30)))
        town.post("/groups", {"name": "North", "key": "north", "definition": NORWAY}, 201)
        webhook = made(town, one.address)
        key = running.key()
        for n in range(30):
            message = {"type": "identify", "userId": f"u{n}", "messageId": f"m{n}", "traits": {"country": "NO"}}
            assert running.send(key, message).status_code == 200
            time.sleep(0.05)

        def named() -> list[str]:
            return [customer for data in _data(one, webhook["secret"]) for customer in data["customers"]]

        wait_until(lambda: len(named()) >= 30)
        assert (len(named()), len(set(named()))) == (30, 30)
        told = _data(one, webhook["secret"])
        assert ({data["cause"] for data in told}, len(told) <= 10) == ({"data"}, True)
        assert sorted(data["sequence"] for data in told) == list(range(1, len(told) + 1))
