"""Who has just ordered is in the segment, and the flag is true: from an app's call to an app's answer (E-21, E-22)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.edge.served import Served, served
from tests.integration.processes import wait_until

FLAG = "/ofrep/v1/evaluate/flags/group.payers"


@pytest.fixture(scope="module")
def installation(module_environment: dict[str, str]) -> Iterator[Served]:
    with served(module_environment) as running:
        running.living.post("/apps", {"key": "notes"}, 201)
        everything = running.living.local.patch("/publisher", json={"minimum_size": 0}, headers={"If-Match": '"1"'})
        assert everything.status_code == 200, everything.text
        match = {"attribute": "has_purchased", "op": "is", "value": True}
        made = {"key": "payers", "name": "Payers", "definition": {"version": 1, "match": match}, "exposure": "open"}
        running.living.post("/groups", made, 201)
        again = {"version": 1, "match": {"all": [{"group": "payers"}, {"event": "level_up"}]}}
        running.living.post("/apps/notes/events", {"key": "level_up"}, 201)
        made = {"key": "players", "name": "Players", "definition": again, "exposure": "open"}
        running.living.post("/groups", made, 201)
        yield running


def _order(user: str, **fields: Any) -> dict[str, Any]:
    properties = {"order_id": f"o-{user}", "revenue": 9.5, "currency": "EUR"}
    return {"type": "track", "userId": user, "event": "Order Completed", "properties": properties, **fields}


@pytest.fixture(scope="module")
def server_key(installation: Served) -> str:
    return installation.key()


@pytest.fixture(scope="module")
def open_key(installation: Served) -> str:
    return installation.key("publishable")


def _flag(installation: Served, key: str, user: str, name: str = FLAG) -> Any:
    asked = {"context": {"targetingKey": user}}
    return installation.edge.post(name, json=asked, headers={"X-API-Key": key}).json()["value"]


def _published(installation: Served, position: str) -> bool:
    return bool(installation.edge.get(f"/edge/v1/positions/{position}").json()["published"])


def test_who_has_just_ordered_is_in_the_segment_and_the_flag_is_true(
    installation: Served, server_key: str, open_key: str
) -> None:
    assert _flag(installation, open_key, "ann") is False
    sent = installation.send(server_key, _order("ann"))
    wait_until(lambda: _published(installation, sent.headers["x-muster-position"]))
    assert _flag(installation, open_key, "ann") is True
    [customer] = installation.living.get("/groups/payers/members")["items"]
    assert customer == installation.living.get("/customers/external:ann")["id"]


def test_group_that_refers_to_a_group_follows_in_the_same_publication(
    installation: Served, server_key: str, open_key: str
) -> None:
    sent = installation.send(server_key, {"type": "track", "userId": "bob", "event": "Level Up"}, _order("bob"))
    wait_until(lambda: _published(installation, sent.headers["x-muster-position"]))
    players = FLAG.replace("payers", "players")
    assert (_flag(installation, open_key, "bob"), _flag(installation, open_key, "bob", players)) == (True, True)


def test_visitor_who_signs_in_takes_what_they_did_along(installation: Served, server_key: str, open_key: str) -> None:
    ordered = _order("visitor-9")
    del ordered["userId"]
    sent = installation.send(server_key, {**ordered, "anonymousId": "visitor-9"})
    wait_until(lambda: _published(installation, sent.headers["x-muster-position"]))
    joined = installation.send(server_key, {"type": "identify", "userId": "cid", "anonymousId": "visitor-9"})
    wait_until(lambda: _published(installation, joined.headers["x-muster-position"]))
    assert (_flag(installation, open_key, "cid"), _flag(installation, open_key, "nobody")) == (True, False)


def test_what_is_followed_equals_a_refresh_of_everybody(installation: Served, server_key: str) -> None:
    for number in range(40):
        sent = installation.send(server_key, _order(f"m{number}"))
    wait_until(lambda: _published(installation, sent.headers["x-muster-position"]))
    before = _members(installation)
    job = installation.living.post("/groups/refresh", None, 202)
    installation.living.finish(job["id"] if "id" in job else job["job"]["id"])
    assert _members(installation) == before
    assert len(before) >= 42


def _members(installation: Served) -> list[str]:
    page = installation.living.get("/groups/payers/members", limit=1_000)
    return list(page["items"])
