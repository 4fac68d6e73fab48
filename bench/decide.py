"""CPU of one decision at the edge, beside a bare ASGI handler that does the same JSON and the same look-ups.

    python -m bench.decide --customers 10000000

Ten exposed groups of 128 that are published; one process each, the same server with the same settings; CPU is that of
the server's process. Lines `bench NAME RATIO LIMIT ok|short`.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pyroaring import BitMap

from muster.edge.settings import EdgeSettings
from muster.edge.supervisor import Supervisor
from muster.online.port import Plan, PlanGroup, PublishedKey, key_digest
from muster.online.publication import Identity, Publication
from muster.online.writer import OnlineWriter

KEY = "mpk_bench"
PUBLISHED, EXPOSED = 128, 10
CONNECTIONS = 16
_TICKS = os.sysconf("SC_CLK_TCK")
_DECIDE = b'{"customer":{"id":"u%d"},"device":{"os":"windows","os_version":"10.0.22631","app_version":"2.1.0"}}'
_OFREP = b'{"context":{"targetingKey":"u%d","app_version":"2.1.0"}}'


def fill(directory: Path, customers: int) -> None:
    writer = OnlineWriter(directory)
    writer.publish_keys({key_digest(KEY): PublishedKey(app=1, source=1, kind="publishable", app_key="bench")})
    random = np.random.default_rng(1)
    aside = writer.rebuild(PUBLISHED)
    aside.put_masks(
        {bit: BitMap(random.integers(1, customers, customers // 10).astype(np.uint32)) for bit in range(PUBLISHED)}
    )
    aside.put_identities((Identity("external", 0, f"u{key}"), key) for key in range(1, customers))
    groups = [
        PlanGroup(f"grp_{bit}", f"group-{bit}", bit, "open" if bit < EXPOSED else "never") for bit in range(PUBLISHED)
    ]
    aside.switch(Publication(plans={1: Plan(tuple(groups))}, data_as_of="2026-11-21T19:04:11Z"))
    writer.close()


@contextmanager
def edge(folder: Path) -> Iterator[tuple[int, int]]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listener.getsockname()[1]
    settings = EdgeSettings(
        spool=str(folder / "spool"),
        online=str(folder / "online"),
        poke=str(folder / "poke"),
        listener=0,
        requests_a_second=1e9,
        requests_a_second_and_address=1e9,
        burst_of_address=1e9,
        least_free_bytes=0,
    )
    supervisor = Supervisor(settings, listener)
    try:
        yield supervisor.pids[0], port
    finally:
        supervisor.close()


@contextmanager
def bare(folder: Path) -> Iterator[tuple[int, int]]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.bare_handler", str(folder / "online"), str(listener.fileno())],
        pass_fds=[listener.fileno()],
    )
    try:
        yield process.pid, listener.getsockname()[1]
    finally:
        process.terminate()
        process.wait()
        listener.close()


def request(path: str, body: bytes, headers: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n{headers}"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def answered(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65_536)
        if not received:
            raise ConnectionError
        data += received
    head, _, rest = data.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 304"):
        return head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(rest) < length:
        rest += connection.recv(65_536)
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"{head!r} {rest!r}")
    return head


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def measured(pid: int, port: int, requests: list[bytes], rounds: int) -> float:
    """Microseconds of CPU a request."""
    connections = [_connected(port) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.sendall(requests[0])
        answered(connection)
    before = cpu_seconds(pid)
    count = 0
    for number in range(rounds):
        for place, connection in enumerate(connections):
            connection.sendall(requests[(number * CONNECTIONS + place) % len(requests)])
        for connection in connections:
            answered(connection)
            count += 1
    spent = cpu_seconds(pid) - before
    for connection in connections:
        connection.close()
    return spent / count * 1e6


def _connected(port: int) -> socket.socket:
    for _ in range(200):
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answered(connection)
            return connection
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the server does not answer")


def told(name: str, ratio: float, limit: float) -> None:
    print(f"bench {name} {ratio:.2f} {limit} {'ok' if ratio <= limit else 'short'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=4_000)
    asked = parser.parse_args()
    names = np.random.default_rng(2).integers(1, asked.customers, 10_000).tolist()
    decide = [request("/edge/v1/decide", _DECIDE % name) for name in names]
    bulk = [request("/ofrep/v1/evaluate/flags", _OFREP % name) for name in names]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        fill(home / "online", asked.customers)
        figures: dict[str, list[float]] = {"bare": [], "decide": [], "bulk": [], "unchanged": []}
        with bare(home) as handler, edge(home) as served:
            with _connected(served[1]) as connection:
                connection.sendall(bulk[0])
                etag = answered(connection).lower().partition(b"etag: ")[2].partition(b"\r\n")[0].decode()
            unchanged = [request("/ofrep/v1/evaluate/flags", _OFREP % names[0], f"If-None-Match: {etag}\r\n")]
            # In turns, so that what else the machine does falls on all alike; the best of each counts.
            for _ in range(5):
                figures["bare"].append(measured(*handler, decide, asked.rounds))
                figures["decide"].append(measured(*served, decide, asked.rounds))
                figures["bulk"].append(measured(*served, bulk, asked.rounds))
                figures["unchanged"].append(measured(*served, unchanged, asked.rounds))
    best = {name: min(found) for name, found in figures.items()}
    for name, found in best.items():
        print(f"{name}: {found:.1f} us of CPU a request")
    told("decide_vs_bare", best["decide"] / best["bare"], 1.3)
    told("unchanged_vs_bulk", best["unchanged"] / best["bulk"], 0.9)


if __name__ == "__main__":
    main()
