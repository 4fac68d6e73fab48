"""What Prometheus is told of a running installation (E-42)."""

from __future__ import annotations

import socket

import httpx

from tests.integration.edge.served import served
from tests.integration.processes import muster, wait_until


def _free() -> str:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return f"127.0.0.1:{one.getsockname()[1]}"


def _told(address: str) -> dict[str, float]:
    lines = httpx.get(f"http://{address}/metrics").text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_requests_and_commits_are_counted_and_addresses_name_nobody(environment: dict[str, str]) -> None:
    address = _free()
    with served(environment, MUSTER_METRICS=address) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        key = installation.key()
        for number in range(3):
            installation.send(key, {"type": "track", "userId": f"u{number}", "event": "Level Up"})
        installation.edge.get("/edge/v1/positions/1.1")
        installation.edge.get("/people/ann@example.com")
        sent = 'muster_edge_requests_total{route="/v1/batch",status="200"}'
        wait_until(lambda: _told(address).get(sent) == 3)
        told = _told(address)
        assert told["muster_edge_committed_requests_total"] == 3
        assert told['muster_edge_requests_total{route="/edge/v1/positions/",status="200"}'] >= 1
        assert told['muster_edge_requests_total{route="other",status="404"}'] == 1
        assert not any("ann@" in name for name in told)


def test_address_that_is_taken_is_named_with_its_setting(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = muster({**environment, "MUSTER_METRICS": address}, "serve")
    assert (refused.returncode != 0, "MUSTER_METRICS" in refused.stderr) == (True, True)
