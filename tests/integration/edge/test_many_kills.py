"""Edge and control are killed again and again under load; nothing acknowledged is lost, nothing is there twice.

`MUSTER_ROUNDS` sets how often; `-s` shows figures.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.edge.senders import MESSAGES_A_PERSON, Sender, is_identify, message
from tests.integration.edge.served import Served, all_drained, asked, edge_processes, kill_edges, served
from tests.integration.processes import kill, wait_until

ROUNDS = int(os.environ.get("MUSTER_ROUNDS", "50"))
SENDERS = 64
# Between two batches of a sender: the load goes on, and leaves the machine to who is killed.
PAUSE_SECONDS = 0.01
LEVELS = 22
GROUPS: dict[str, dict[str, Any]] = {
    "payers": {"attribute": "has_purchased", "op": "is", "value": True},
    "players": {"event": "level_up", "op": "gte", "value": LEVELS},
    "both": {"all": [{"group": "payers"}, {"group": "players"}]},
    "neither": {"none": [{"group": "payers"}, {"group": "players"}]},
}


class Town:
    """One installation through all its lives; senders ask where it is now."""

    def __init__(self, environment: Mapping[str, str], home: Path) -> None:
        self._environment, self._home = environment, home
        self.address = self.key = ""
        self.complaints: list[str] = []
        self.begin()

    def begin(self) -> None:
        self._stack = ExitStack()
        # Who sends at once as often is no attack here.
        self.now = self._stack.enter_context(served(self._environment, MUSTER_EDGE_BURST_OF_ADDRESS="0"))
        self.address = str(self.now.edge.base_url).rstrip("/")

    def kill_edge(self) -> None:
        """Another process takes its place; one whose server was killed may be ending still, and is killed with it."""
        before = set(edge_processes(self._home))
        assert kill_edges(self._home) >= 1
        wait_until(lambda: set(edge_processes(self._home)) - before)
        wait_until(self._answers)

    def kill_control(self, *, with_edge: bool, patiently: bool) -> None:
        """`patiently`: what took in for it has ended, too, before the next begins."""
        if with_edge:
            kill_edges(self._home)
        kill(self.now.living.server.process)
        if patiently:
            wait_until(lambda: not edge_processes(self._home))
        self._end_of_killed()
        self.begin()

    def close(self) -> None:
        """In order, as long as no edge was killed meanwhile."""
        self._stack.close()

    def give_up(self) -> None:
        """Nothing is left running when a test has failed."""
        if self.now.living.server.process.poll() is None:
            kill_edges(self._home)
            kill(self.now.living.server.process)
            self._end_of_killed()

    def _end_of_killed(self) -> None:
        with pytest.raises(AssertionError) as told:
            self._stack.close()
        self.complaints.append(str(told.value))

    def _answers(self) -> bool:
        try:
            return self.now.edge.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


@pytest.mark.scale
def test_everything_answered_is_there_once_after_many_kills(environment: dict[str, str], home: Path) -> None:
    """E-18, C-32, section 12: edge, control and both, in any order, at any time."""
    town = Town(environment, home)
    try:
        senders, seconds = _lived_through(town)
        found, answers = _settled(town, senders)
        town.close()
    finally:
        town.give_up()
    arrived = _check_arrivals(home, senders)
    expected = _expected(arrived, _people(senders))
    assert found == {
        name: _ids(home, {person for person, groups in expected.items() if name in groups}) for name in GROUPS
    }
    assert answers == expected
    assert [said for said in town.complaints if "Traceback" in said or " ERROR " in said] == []
    _say(senders, arrived, found, seconds)


def _lived_through(town: Town) -> tuple[list[Sender], float]:
    """All rounds, until the last sender has been answered; who sent, and how long it took."""
    chance = random.Random(5)
    begun = time.monotonic()
    key = town.key = _furnished(town.now)
    senders = [Sender(n, SENDERS, key, lambda: town.address, PAUSE_SECONDS) for n in range(SENDERS)]
    try:
        for number in range(ROUNDS):
            time.sleep(chance.uniform(0.05, 2))
            if number % 3 == 0:
                town.kill_edge()
            else:
                town.kill_control(with_edge=number % 3 == 1, patiently=chance.random() < 0.5)
    finally:
        for sender in senders:
            sender.end()
    return senders, time.monotonic() - begun


def _settled(town: Town, senders: Sequence[Sender]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Who is in which group, and what the edge says of everybody: the same by following, evaluated anew, begun anew."""
    # Control goes on as it is: whatever is wrong now was made wrong by following.
    town.kill_edge()
    _wait_until_settled(town.now)
    found = _membership(town.now)
    assert town.now.living.post("/online/check") == {"wrong": {}}
    _refresh(town.now)
    assert _membership(town.now) == found
    town.kill_control(with_edge=False, patiently=True)
    _wait_until_settled(town.now)
    assert _membership(town.now) == found
    assert town.now.living.post("/online/check") == {"wrong": {}}
    return found, _answered(town.now, town.key, sorted(_people(senders)))


def _furnished(installation: Served) -> str:
    """An app, groups that depend on all that is sent, a key."""
    living = installation.living
    living.post("/apps", {"key": "notes"}, 201)
    told = living.local.patch("/publisher", json={"minimum_size": 0}, headers={"If-Match": '"1"'})
    assert told.status_code == 200, told.text
    living.post("/apps/notes/events", {"key": "level_up"}, 201)
    for name, match in GROUPS.items():
        definition = {"version": 1, "match": match}
        living.post("/groups", {"key": name, "name": name, "definition": definition, "exposure": "signed"}, 201)
    return installation.key()


def _wait_until_settled(installation: Served) -> None:
    wait_until(lambda: all_drained(installation), 120)
    installation.living.settle()


def _refresh(installation: Served) -> None:
    job = installation.living.post("/groups/refresh", None, 202)
    assert installation.living.finish(job["job"]["id"], 120)["state"] == "done"


def _membership(installation: Served) -> dict[str, set[str]]:
    return {name: _members(installation, name) for name in GROUPS}


def _members(installation: Served, group: str) -> set[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = installation.living.get(f"/groups/{group}/members", limit=1000, **cursor)
        found += page["items"]
        if not page["next_cursor"]:
            assert len(set(found)) == len(found)
            return set(found)
        cursor = {"cursor": page["next_cursor"]}


def _people(senders: Sequence[Sender]) -> set[str]:
    """Those who have signed in."""
    return {f"u{number // MESSAGES_A_PERSON}" for one in senders for number in one.acknowledged if is_identify(number)}


def _answered(installation: Served, key: str, people: Sequence[str]) -> dict[str, set[str]]:
    """The groups that the edge finds them in."""
    found = {}
    for person in people:
        body = {"customer": {"id": person}, "want": ["groups"]}
        answer = installation.edge.post("/edge/v1/decide", json=body, headers={"X-Muster-Key": key})
        found[person] = set(answer.json()["groups"])
    return found


def _check_arrivals(home: Path, senders: Sequence[Sender]) -> set[int]:
    """Every acknowledged message once, given up ones at most once, no other; answers which are there."""
    stored = (
        "SELECT CAST(CAST(props AS JSON)->>'$.n' AS INT) FROM all_events",
        "SELECT CAST(substr(order_id, 2) AS INT) FROM order_entries",
    )
    events, orders = (Counter(number for (number,) in asked(home, question)) for question in stored)
    arrived = set(events) | set(orders)
    acknowledged = {number for one in senders for number in one.acknowledged if not is_identify(number)}
    given_up = {number for one in senders for number in one.given_up}
    assert [number for found in (events, orders) for number, times in found.items() if times > 1] == []
    assert (acknowledged - arrived, arrived - acknowledged - given_up) == (set(), set())
    assert asked(home, "SELECT count(*) FROM rejects") == [(0,)]
    return arrived


def _expected(arrived: set[int], people: set[str]) -> dict[str, set[str]]:
    """By what the messages say, nothing else."""
    levels, payers = Counter[str](), set()
    for number in arrived:
        person = f"u{number // MESSAGES_A_PERSON}"
        event = message(number)["event"]
        levels[person] += event == "Level Up"
        if event == "Order Completed":
            payers.add(person)
    expected = {}
    for person in people:
        groups = {name for name, told in (("payers", person in payers), ("players", levels[person] >= LEVELS)) if told}
        expected[person] = groups | ({"both"} if len(groups) == 2 else {"neither"} if not groups else set())
    return expected


def _ids(home: Path, people: set[str]) -> set[str]:
    from muster.kernel.ids import customer_id

    rows = asked(home, "SELECT text, customer_key FROM identities WHERE kind = 'external'")
    return {customer_id(key) for text, key in rows if text in people}


def _say(senders: Sequence[Sender], arrived: set[int], found: Mapping[str, set[str]], seconds: float) -> None:
    statuses = sum((Counter(one.statuses) for one in senders), Counter[int]())
    batches, resent = sum(one.batches for one in senders), sum(one.resent for one in senders)
    acknowledged, given_up = (
        sum(map(len, told)) for told in zip(*((one.acknowledged, one.given_up) for one in senders), strict=True)
    )
    sizes = {name: len(members) for name, members in found.items()}
    sys.stdout.write(
        f"\n{ROUNDS} rounds in {seconds:.0f} s: {batches} batches, answered {dict(statuses)}; {acknowledged} messages"
        f" acknowledged, {resent} sent again, {given_up} given up; {len(arrived)} events and orders stored; {sizes}\n"
    )
