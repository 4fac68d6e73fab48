"""E-14, E-18: control is killed in the midst of a replay, again and again; everything is taken once, or stays once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from muster.customers.actions.replay import MOST_AT_ONCE
from tests.integration.edge.served import Served, asked, edge_processes, served
from tests.integration.processes import kill, wait_until

# Three chunks; every fourth is refused again.
NUMBER = 2 * MOST_AT_ONCE + 1_000
A_REQUEST = 500
KILLS = 5


def test_replay_that_is_killed_takes_everything_once(environment: dict[str, str], home: Path) -> None:
    chance = random.Random(14)
    with _killed(environment, home) as installation:
        _refuse(installation)
        job = installation.living.post("/rejects/replay", {}, 202)["job"]["id"]
        time.sleep(0.05)
    for _ in range(KILLS - 1):
        with _killed(environment, home) as installation:
            assert _goes_on(installation, job) == "running"
            time.sleep(chance.uniform(0, 1))
    with served(environment) as installation:
        _goes_on(installation, job)
        assert installation.living.finish(job)["state"] == "done"
        installation.living.settle()
    numbers = asked(home, "SELECT CAST(CAST(props AS JSON)->>'$.n' AS INT) FROM all_events ORDER BY 1")
    assert [number for (number,) in numbers] == [number for number in range(NUMBER) if number % 4]
    left = asked(home, "SELECT CAST(CAST(item AS JSON)->>'$.properties.n' AS INT), code FROM rejects ORDER BY 1")
    assert left == [(number, "not_a_name") for number in range(0, NUMBER, 4)]


def _goes_on(installation: Served, job: str) -> str:
    """By itself, but for one that three processes have died of: that is begun again by hand."""
    here = f"/jobs/{job}"
    wait_until(lambda: installation.living.get(here)["state"] != "waiting")
    if installation.living.get(here)["state"] == "failed":
        installation.living.post(f"{here}/retry")
        wait_until(lambda: installation.living.get(here)["state"] == "running")
    return str(installation.living.get(here)["state"])


def _refuse(installation: Served) -> None:
    """An app that takes no unknown word is sent some, and takes them from now on."""
    living = installation.living
    living.post("/apps", {"key": "notes", "settings": {"strict": True}}, 201)
    key = installation.key()
    for first in range(0, NUMBER, A_REQUEST):
        sent = installation.send(key, *map(_message, range(first, first + A_REQUEST)))
        assert sent.status_code == 200, sent.text
    installation.wait_for(sent.headers["x-muster-position"])
    revision = living.get("/apps/notes")["revision"]
    edited = living.local.patch(
        "/apps/notes", json={"settings": {"strict": False}}, headers={"If-Match": f'"{revision}"'}
    )
    assert edited.status_code == 200, edited.text


def _message(number: int) -> dict[str, Any]:
    event = "Level Up" if number % 4 else "?!"
    # Without a messageId nothing but its place tells one from another.
    return {"type": "track", "userId": f"u{number % 50}", "event": event, "properties": {"n": number}}


@contextmanager
def _killed(environment: dict[str, str], home: Path) -> Iterator[Served]:
    """An installation whose control process is killed at the end of the block."""
    with ExitStack() as stack:
        installation = stack.enter_context(served(environment))
        yield installation
        kill(installation.living.server.process)
        wait_until(lambda: not edge_processes(home))
        with pytest.raises(AssertionError):
            stack.close()
