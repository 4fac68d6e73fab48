"""`muster edge` without a server beside it: it takes what is sent, and the next server drains it (section 8)."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.integration.edge.served import asked, served
from tests.integration.living import living
from tests.integration.processes import COLD, muster, wait_until


@contextmanager
def edge_alone(environment: Mapping[str, str], *arguments: str) -> Iterator[httpx.Client]:
    command = [*COLD, "edge", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Apps send to http://127.0.0.1:")
            with httpx.Client(base_url=line.split()[-1], timeout=30) as http:
                yield http
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_edge_alone_takes_in_and_the_next_server_drains(environment: dict[str, str], home: Path) -> None:
    """Control is down: nothing waits for it, and nothing is lost."""
    with living(environment) as installation:
        installation.post("/apps", {"key": "notes"}, 201)
        code, made = installation.command("catalog", "keys", "create", "--app", "notes", "--set", "kind=publishable")
        assert (code, made["kind"], made["state"], len(made["key"])) == (0, "publishable", "active", 30)
    with edge_alone(environment, "--bind", "127.0.0.1:0") as http:
        answer = http.post("/v1/page", json={"anonymousId": "a1", "writeKey": made["key"]})
        assert answer.status_code == 200
        assert http.get(f"/edge/v1/positions/{answer.headers['x-muster-position']}").json()["drained"] is False
    with served(environment) as installation:
        wait_until(lambda: installation.is_drained(answer.headers["x-muster-position"]))
    assert asked(home, "SELECT count(*) FROM all_events") == [(1,)]


@pytest.mark.parametrize("bind", ["8081", "127.0.0.1", "127.0.0.1:99999", ":1"])
def test_bind_is_host_and_port(environment: dict[str, str], bind: str) -> None:
    ended = muster(environment, "edge", "--bind", bind)
    assert (ended.returncode, "is not HOST:PORT" in ended.stderr) == (2, True)


def test_port_that_is_taken_is_named(environment: dict[str, str]) -> None:
    with edge_alone(environment, "--bind", "127.0.0.1:0") as http:
        ended = muster(environment, "edge", "--bind", f"127.0.0.1:{http.base_url.port}")
    assert (ended.returncode, ended.stderr) == (
        1,
        f"error [address_taken]: 127.0.0.1:{http.base_url.port} cannot be listened on (Address already in use)."
        " Set MUSTER_EDGE_PORT to another port.\n",
    )
