"""Servers to be asked: an edge process on a folder of its own, and bare handlers beside it, one process each."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from muster.edge.settings import EdgeSettings

_SECONDS_TO_BEGIN = 60


@dataclass(frozen=True)
class Running:
    port: int
    pids: list[int]


@contextmanager
def edge_process(folder: Path, module: str = "muster.edge.process") -> Iterator[Running]:
    """One, without limits; another `module` is begun in the same way."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        settings = EdgeSettings(
            spool=str(folder / "spool"),
            online=str(folder / "online"),
            poke=str(folder / "drain.sock"),
            listener=listener.fileno(),
            requests_a_second=0,
            requests_a_second_and_address=0,
            least_free_bytes=0,
            largest_spool_bytes=64 * 1024**3,
        )
        told = msgspec.json.encode(settings).decode()
        with _begun([sys.executable, "-m", module, told], listener) as running:
            yield running


@contextmanager
def bare_handler(kind: str, *arguments: str) -> Iterator[Running]:
    """One of `bench.edge.bare`, on uvicorn as the edge is."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=4096) as listener,
        _begun([sys.executable, "-m", "bench.edge.bare", str(listener.fileno()), kind, *arguments], listener) as one,
    ):
        yield one


@contextmanager
def _begun(command: list[str], listener: socket.socket) -> Iterator[Running]:
    port = listener.getsockname()[1]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()])
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield Running(port, [process.pid])
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        process.wait(30)


def wait_for(address: str) -> None:
    deadline = time.monotonic() + _SECONDS_TO_BEGIN
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
