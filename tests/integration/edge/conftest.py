"""A real edge process on a folder of its own, with keys published by hand: no control process, no Django."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from muster.edge.settings import EdgeSettings
from muster.edge.supervisor import Supervisor
from muster.online.port import PublishedKey, key_digest
from muster.online.publication import Publication
from muster.online.writer import OnlineWriter
from muster.spool.entries import Spooled
from muster.spool.reading import SpoolReader
from tests.integration.processes import wait_until

OPEN, SECRET, DECIDING = "mpk_open", "msk_secret", "msk_deciding"
KEYS = {
    OPEN: PublishedKey(app=1, source=7, kind="publishable"),
    SECRET: PublishedKey(app=1, source=8, kind="server", scopes=("ingest", "decide")),
    DECIDING: PublishedKey(app=1, source=9, kind="server", scopes=("decide",)),
    "mpk_shop": PublishedKey(app=2, source=10, kind="publishable", origins=("https://shop.example",)),
}


@dataclass
class Edge:
    supervisor: Supervisor
    http: httpx.Client
    folder: Path
    online: OnlineWriter | None = None

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    def publish(self) -> None:
        """As control does when it starts."""
        self.online = OnlineWriter(self.folder / "online")
        self.online.rebuild(0).switch(Publication())
        self.online.publish_keys({key_digest(key): told for key, told in KEYS.items()})

    @property
    def port(self) -> int:
        return int(self.http.base_url.port or 0)

    def rows(self) -> list[Spooled]:
        """Everything that lies in the spool."""
        reader = SpoolReader(self.spool)
        try:
            return [row for waiting in reader.waiting({}, 1_000_000) for row in waiting.rows]
        finally:
            reader.close()

    def send(self, body: Any = None, path: str = "/v1/batch", key: str = OPEN, **about: Any) -> httpx.Response:
        headers = {"X-API-Key": key, **about.pop("headers", {})}
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.http.post(path, headers=headers, **content, **about)


@contextmanager
def running_edge(folder: Path, *, published: bool = True, **settings: Any) -> Iterator[Edge]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listener.getsockname()[1]
    told = EdgeSettings(
        spool=str(folder / "spool"),
        online=str(folder / "online"),
        poke=str(folder / "drain.sock"),
        listener=0,
        **{"least_free_bytes": 0, **settings},
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        edge = Edge(Supervisor(told, listener), http, folder)
        try:
            if published:
                edge.publish()
            wait_until(lambda: _answers(http, "/readyz" if published else "/healthz"))
            yield edge
        finally:
            edge.supervisor.close()
            if edge.online is not None:
                edge.online.close()


def _answers(http: httpx.Client, path: str) -> bool:
    with suppress(httpx.TransportError):
        return http.get(path).status_code == 200
    return False


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with tempfile.TemporaryDirectory(prefix="mst-") as folder, running_edge(Path(folder)) as running:
        yield running
