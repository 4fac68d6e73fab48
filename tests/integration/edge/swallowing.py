"""A proxy between a library and the edge that misbehaves as networks do: by a list of what to do with each request."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASS, SWALLOW = "pass", "swallow"
"""`swallow`: the edge has answered, and nobody hears it."""


@dataclass
class Proxy:
    address: str
    seen: list[str] = field(default_factory=list)
    """What was done, in order; a number is the status that was answered instead of the edge."""


@contextmanager
def misbehaving(edge: str, plan: Sequence[str]) -> Iterator[Proxy]:
    """Does what the plan says with the first requests, and passes on the others."""
    host, _, port = edge.removeprefix("http://").rstrip("/").partition(":")
    todo = deque(plan)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                what = todo.popleft() if todo else PASS
                proxy.seen.append(what)
            if what.isdecimal():
                self._tell(int(what), b"{}", {"Retry-After": "1"} if what == "429" else {})
                return
            status, answer = _passed_on(host, int(port), self.path, body, dict(self.headers))
            if what == SWALLOW:
                self.close_connection = True
                self.connection.close()
                return
            self._tell(status, answer, {})

        def _tell(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (OSError, ValueError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


def _passed_on(host: str, port: int, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = HTTPConnection(host, port, timeout=30)
    try:
        connection.request("POST", path, body, {k: v for k, v in headers.items() if k.lower() != "host"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
