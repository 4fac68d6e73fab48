"""Asks the REST API: over the installation's socket when a server runs, else inside this process. One door for both."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from muster.cli.doors import Doors, Here
from muster.kernel.errors import MusterError

# Previews and overlaps of large installations take long; what runs for longer is a job.
_TIMEOUT = httpx.Timeout(600, connect=5)
# A server that is just starting owns the installation before it listens.
_PATIENCE_SECONDS = 10
_SECONDS_BETWEEN_LOOKS = 0.1
_OVER = ("done", "failed", "cancelled", "paused")

Document = dict[str, Any]


class Refused(MusterError):
    """The API said no. `problem` is its whole answer, `status` the HTTP status."""

    def __init__(self, status: int, problem: Document) -> None:
        super().__init__(str(problem.get("detail", "")), code=str(problem.get("code", "")))
        self.status = status
        self.problem = problem


class Client:
    """Paths are below `/api/v1`; answers are the decoded documents. Refused for every status from 400 on."""

    def __init__(self, http: httpx.Client, here: Here | None) -> None:
        self._http = http
        self._here = here

    @property
    def asks_a_server(self) -> bool:
        return self._here is None

    def get(self, path: str, **parameters: Any) -> Any:
        return self._ask("GET", path, params=_given(parameters))

    def post(self, path: str, json: Any = None, **options: Any) -> Any:
        return self._ask("POST", path, json=json, **options)

    def patch(self, path: str, json: Any, revision: int | None = None) -> Any:
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        return self._ask("PATCH", path, json=json, headers=headers)

    def put(self, path: str, json: Any) -> Any:
        return self._ask("PUT", path, json=json)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def items(self, path: str, **parameters: Any) -> Iterator[Any]:
        """Every item of a list, page after page."""
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, **parameters)
            yield from page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def text(self, path: str, **parameters: Any) -> Iterator[str]:
        """What is no JSON, as it comes."""
        with self._http.stream("GET", f"/api/v1{path}", params=_given(parameters)) as response:
            if response.status_code >= 400:
                response.read()
                raise Refused(response.status_code, _problem(response))
            yield from response.iter_text()

    def content(self, path: str) -> Iterator[bytes]:
        """A file, as it comes."""
        with self._http.stream("GET", f"/api/v1{path}") as response:
            if response.status_code >= 400:
                response.read()
                raise Refused(response.status_code, _problem(response))
            yield from response.iter_bytes()

    def follow(self, job_id: str, tell: Callable[[Document], None]) -> Document:
        """The job when it is over or paused; `tell` hears how far it is meanwhile."""
        if self._here is not None:
            self._here.jobs.take(job_id)
        while True:
            job: Document = self.get(f"/jobs/{quote(job_id)}")
            tell(job)
            if job["state"] in _OVER:
                return job
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        response = self._http.request(method, f"/api/v1{path}", **options)
        if response.status_code >= 400:
            raise Refused(response.status_code, _problem(response))
        return response.json() if response.content else {}


@contextmanager
def connect(doors: Doors) -> Iterator[Client]:
    """A client of whoever owns the installation: a server, or else this process, which runs what it starts."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        if _listens(doors.socket):
            transport = httpx.HTTPTransport(uds=str(doors.socket))
            with _http(transport) as http:
                yield Client(http, None)
            return
        try:
            opened = doors.open_here()
            here = opened.__enter__()
        except MusterError as error:
            if error.code != "installation_in_use" or time.monotonic() > deadline:
                raise
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            continue
        try:
            with _http(httpx.WSGITransport(here.application)) as http:
                yield Client(http, here)
            here.jobs.drain()
        finally:
            opened.__exit__(None, None, None)
        return


@contextmanager
def running_server(doors: Doors) -> Iterator[Client | None]:
    """A client of the server that runs, if one does: nothing is opened here."""
    if not _listens(doors.socket):
        yield None
        return
    with _http(httpx.HTTPTransport(uds=str(doors.socket))) as http:
        yield Client(http, None)


def _http(transport: httpx.BaseTransport) -> httpx.Client:
    return httpx.Client(transport=transport, base_url="http://localhost", timeout=_TIMEOUT)


def _listens(path: Path) -> bool:
    """Whether somebody answers; the file alone may have been left by a server that was killed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _given(parameters: Document) -> Document:
    return {name: value for name, value in parameters.items() if value is not None}


def _problem(response: httpx.Response) -> Document:
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict) and "code" in problem:
        return problem
    detail = f"The server answered {response.status_code} without saying why."
    return {"code": "answer_unreadable", "detail": detail, "status": response.status_code, "errors": []}
