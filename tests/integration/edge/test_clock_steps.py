"""The clock of the machine is set back by an hour and forward again: each message once, in the order of its slot."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from muster.spool.reading import SpoolReader
from tests.integration.edge.served import Served, asked, edge_processes, served
from tests.integration.processes import wait_until

# What Python runs as it starts: clocks of the processes go by what stands in a file.
_STEPPED = """
import os, time
from datetime import UTC, datetime, timedelta

_file = os.environ["PYTHON_CLOCK_STEP"]
_true_ns = time.time_ns

def _step():
    with open(_file) as file:
        return int(file.read() or 0)

time.time_ns = lambda: _true_ns() + _step() * 1_000_000_000
time.time = lambda: time.time_ns() / 1e9

from muster.kernel import clock

clock._clocks.append(lambda: datetime.now(UTC) + timedelta(seconds=_step()))
"""
_HOUR = 3_600


class Clock:
    def __init__(self, folder: Path) -> None:
        self._file = folder / "step"
        self.set(0)
        (folder / "sitecustomize.py").write_text(_STEPPED)

    def set(self, seconds: int) -> None:
        """Beside the true time."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._file)


@contextmanager
def stepped(environment: dict[str, str], folder: Path) -> Iterator[tuple[Served, Clock]]:
    clock = Clock(folder)
    paths = os.pathsep.join([str(folder), environment["PYTHONPATH"]])
    told = {**environment, "PYTHONPATH": paths, "PYTHON_CLOCK_STEP": str(folder / "step")}
    with served(told) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        everything = installation.living.local.patch(
            "/publisher", json={"minimum_size": 0}, headers={"If-Match": '"1"'}
        )
        assert everything.status_code == 200, everything.text
        yield installation, clock


def _order(number: int) -> dict[str, Any]:
    properties = {"order_id": f"o{number}", "revenue": 9.5, "currency": "EUR"}
    about = {"userId": f"u{number}", "messageId": f"m{number}", "properties": properties}
    return {"type": "track", "event": "Order Completed", **about}


def test_each_is_there_once_in_its_order_whatever_the_clock_says(
    environment: dict[str, str], home: Path, tmp_path: Path
) -> None:
    """E-18, C-19, C-32; who has ordered is in the segment at once, also an hour ago."""
    with stepped(environment, tmp_path) as (installation, clock):
        match = {"attribute": "has_purchased", "op": "is", "value": True}
        made = {"key": "payers", "name": "Payers", "definition": {"version": 1, "match": match}, "exposure": "signed"}
        installation.living.post("/groups", made, 201)
        key = installation.key()
        number = 0
        for step in (0, -_HOUR, 0, _HOUR):
            clock.set(step)
            for _ in range(20):
                # The one before is sent again, from another time.
                answer = installation.send(key, *map(_order, range(max(number - 1, 0), number + 1)))
                assert answer.status_code == 200
                number += 1
            _wait_until_published(installation, answer.headers["x-muster-position"])
            assert _decided(installation, key, number - 1) == ["payers"]
        everybody, then = _ids(installation, range(80)), _ids(installation, range(20, 40))
        assert _members(installation) == everybody
        # What is still to come counts when it has come: as of an hour ago these were all.
        clock.set(-_HOUR)
        wait_until(lambda: _members(installation) == then)
        assert _refreshed(installation) == then
        clock.set(_HOUR)
        wait_until(lambda: _members(installation) == everybody)
        assert _refreshed(installation) == everybody
        assert installation.living.post("/online/check") == {"wrong": {}}
        assert [_decided(installation, key, one) for one in range(80)] == [["payers"]] * 80
    # Who came first has the lower number.
    came = asked(home, "SELECT text FROM identities WHERE kind = 'external' ORDER BY customer_key")
    assert [text for (text,) in came] == [f"u{one}" for one in range(80)]
    assert asked(home, "SELECT count(*), count(DISTINCT order_id) FROM order_entries") == [(80, 80)]
    # Received in fact before and after: otherwise nothing was set back.
    assert asked(home, "SELECT max(happened_at) - min(happened_at) > INTERVAL 1 HOUR FROM order_entries") == [(True,)]


def test_who_is_erased_after_the_clock_was_set_back_is_not_left_in_the_spool(
    environment: dict[str, str], home: Path, tmp_path: Path
) -> None:
    """C-46: what came "later" than the erasure was asked for lies there as well."""
    with stepped(environment, tmp_path) as (installation, clock):
        key = installation.key()
        answer = installation.send(key, _order(4_711))
        installation.wait_for(answer.headers["x-muster-position"])
        shown = installation.living.get("/customers/external:u4711")
        [edge] = edge_processes(home)
        sent = _left_lying(installation, key, edge)
        try:
            clock.set(-_HOUR)
            ordered = installation.living.post(f"/customers/{shown['id']}/erase", {"confirm": shown["id"]}, 202)
            state = f"/erasures/{ordered['id']}"
            time.sleep(2)
            assert installation.living.get(state)["state"] != "done"
        finally:
            os.kill(edge, signal.SIGCONT)
        wait_until(lambda: installation.living.get(state)["state"] == "done")
        installation.wait_for(sent.headers["x-muster-position"])
        assert installation.living.local.get("/customers/external:u4711").status_code == 404
    assert asked(home, "SELECT count(*) FROM identities WHERE text = 'u4711'") == [(0,)]


def _left_lying(installation: Served, key: str, edge: int) -> httpx.Response:
    """Something is answered, and lies there until the process that took it goes on."""
    with closing(SpoolReader(installation.home / "spool")) as reader:
        while True:
            sent = installation.send(key, {"type": "track", "userId": "u4711", "event": "Level Up"})
            os.kill(edge, signal.SIGSTOP)
            if reader.newest():
                return sent
            os.kill(edge, signal.SIGCONT)


def _wait_until_published(installation: Served, position: str) -> None:
    address = f"/edge/v1/positions/{position}"
    wait_until(lambda: installation.edge.get(address).json() == {"drained": True, "published": True})


def _members(installation: Served) -> set[str]:
    return set(installation.living.get("/groups/payers/members", limit=1000)["items"])


def _refreshed(installation: Served) -> set[str]:
    job = installation.living.post("/groups/refresh", None, 202)
    assert installation.living.finish(job["job"]["id"])["state"] == "done"
    return _members(installation)


def _ids(installation: Served, numbers: Iterable[int]) -> set[str]:
    return {installation.living.get(f"/customers/external:u{number}")["id"] for number in numbers}


def _decided(installation: Served, key: str, number: int) -> list[str]:
    body = {"customer": {"id": f"u{number}"}, "want": ["groups"]}
    return list(installation.edge.post("/edge/v1/decide", json=body, headers={"X-Muster-Key": key}).json()["groups"])
