"""A whole installation with its edge, for tests: what is sent to one end is asked for at the other."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx

from muster.spool.reading import SpoolReader
from tests.integration.living import Living, living
from tests.integration.processes import wait_until

EDGE = {"MUSTER_EDGE_PROCESSES": "1", "MUSTER_EDGE_PORT": "0"}


@dataclass
class Served:
    living: Living
    edge: httpx.Client
    home: Path

    def key(self, kind: str = "server", app: str = "notes") -> str:
        return str(self.living.post(f"/apps/{app}/keys", {"kind": kind}, 201)["key"])

    def send(self, key: str, *messages: dict[str, Any]) -> httpx.Response:
        return self.edge.post("/v1/batch", json={"batch": messages}, headers={"X-API-Key": key})

    def wait_for(self, position: str) -> None:
        """Until the warehouse has it (E-21)."""
        wait_until(lambda: self.is_drained(position))

    def is_drained(self, position: str) -> bool:
        with suppress(httpx.TransportError):
            return bool(self.edge.get(f"/edge/v1/positions/{position}").json()["drained"])
        return False


@contextmanager
def served(environment: Mapping[str, str], **settings: str) -> Iterator[Served]:
    """`muster serve` with one edge process, ended in order."""
    told = {**environment, **EDGE, **settings}
    with living(told) as running:
        address = running.server.edge
        assert address is not None
        with httpx.Client(base_url=address, timeout=30) as edge:
            wait_until(lambda: _answers(edge))
            yield Served(running, edge, Path(told["MUSTER_HOME"]))


def _answers(edge: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return edge.get("/readyz").status_code == 200
    return False


def edge_processes(home: Path) -> list[int]:
    """Those of an installation, whoever began them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"muster.edge.process" in words and f'"{home}/spool"'.encode() in b" ".join(words):
                found.append(int(process.name))
    return found


def kill_edges(home: Path) -> int:
    """As the system does when it runs out of memory; answers how many there were."""
    found = edge_processes(home)
    for process in found:
        os.kill(process, signal.SIGKILL)
    return len(found)


def all_drained(installation: Served) -> bool:
    """Of each slot the newest place; what lies in slots that nobody has any more was there before."""
    reader = SpoolReader(installation.home / "spool")
    try:
        rows = [(one.slot, one.rows[-1].seq) for one in reader.waiting({}, 1_000_000) if one.rows]
    finally:
        reader.close()
    return all(installation.is_drained(f"{slot}.{seq}") for slot, seq in rows)


def asked(home: Path, question: str) -> list[tuple[Any, ...]]:
    """Of the warehouse of an installation that nobody owns now."""
    [file] = (home / "warehouse").glob("*.duckdb")
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(question).fetchall()
