"""An installation that serves, with its REST API as people, programs and the command line reach it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.integration.processes import PATIENCE_SECONDS, Serving, muster, serving

Document = dict[str, Any]
_OVER = ("done", "failed", "cancelled")


@dataclass
class Living:
    """`local` may everything; `with_scopes` opens the network's door with a token."""

    home: Path
    environment: Mapping[str, str]
    server: Serving
    local: httpx.Client
    _others: list[httpx.Client] = field(default_factory=list)

    def with_scopes(self, *scopes: str) -> httpx.Client:
        made = self.local.post("/tokens", json={"name": "test", "scopes": list(scopes)})
        assert made.status_code == 201, made.text
        headers = {"Authorization": f"Bearer {made.json()['secret']}"}
        client = httpx.Client(base_url=f"{self.server.address}/api/v1", headers=headers, timeout=60)
        self._others.append(client)
        return client

    def get(self, path: str, **parameters: Any) -> Document:
        answer = self.local.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def post(self, path: str, document: Any = None, status: int = 200) -> Document:
        answer = self.local.post(path, json=document)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    def command(self, *arguments: str, stdin: str = "") -> tuple[int, Any]:
        """Exit status and the document of `--json`: the answer, or the problem."""
        ended = muster(self.environment, *arguments, "--json", stdin=stdin)
        said = ended.stdout if ended.stdout.strip() else ended.stderr
        return ended.returncode, json.loads(said)

    def upload(self, content: bytes, mapping: Any, name: str = "file.csv") -> httpx.Response:
        text = mapping if isinstance(mapping, bytes) else yaml.safe_dump(mapping, allow_unicode=True).encode()
        files = {"file": (name, content), "mapping": ("mapping.yaml", text, "application/yaml")}
        return self.local.post("/imports", files=files)

    def dry_run(self, content: bytes, mapping: Any, name: str = "file.csv") -> Document:
        begun = self.upload(content, mapping, name)
        assert begun.status_code == 202, begun.text
        self.finish(begun.json()["job"]["id"])
        return self.get(f"/imports/{begun.json()['id']}")

    def bring_in(self, content: bytes, mapping: Any, *, max_invalid: int = 0) -> Document:
        """The import after its application; groups have been refreshed."""
        checked = self.dry_run(content, mapping)
        applied = self.post(f"/imports/{checked['id']}/apply", {"max_invalid": max_invalid}, 202)
        assert self.finish(applied["job"]["id"])["state"] == "done"
        self.settle()
        return self.get(f"/imports/{checked['id']}")

    def verdicts(self, import_id: str, verdict: str | None = None) -> list[Document]:
        found: list[Document] = []
        cursor = None
        while True:
            parameters = {"limit": 1000, "cursor": cursor, "verdict": verdict}
            page = self.get(f"/imports/{import_id}/rows", **{k: v for k, v in parameters.items() if v})
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    def finish(self, job_id: str, seconds: float = PATIENCE_SECONDS) -> Document:
        deadline = time.monotonic() + seconds
        while (job := self.get(f"/jobs/{job_id}"))["state"] not in _OVER:
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        return job

    def settle(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Until no job waits or runs."""
        deadline = time.monotonic() + seconds
        # All in one answer: asked one state after the other, a job may end and leave another in between.
        while any(one["state"] in ("waiting", "running") for one in self.get("/jobs", limit=200)["items"]):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def close(self) -> None:
        for client in (self.local, *self._others):
            client.close()


@contextmanager
def living(environment: Mapping[str, str]) -> Iterator[Living]:
    """An installation in `MUSTER_HOME` while its server runs."""
    home = Path(environment["MUSTER_HOME"])
    with serving(environment) as server:
        transport = httpx.HTTPTransport(uds=str(home / "control.sock"))
        local = httpx.Client(transport=transport, base_url="http://localhost/api/v1", timeout=60)
        found = Living(home, environment, server, local)
        try:
            yield found
        finally:
            found.close()


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def csv_of(columns: str, *rows: object) -> bytes:
    return "\n".join([columns, *(str(row) for row in rows)]).encode() + b"\n"
