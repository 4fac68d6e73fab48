"""Receivers on the loopback that answer as receivers do, well and badly: real sockets, HTTP/1.1 by hand."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[[socket.socket], None]
_HANGS_SECONDS = 60


@dataclass(frozen=True)
class Heard:
    """A request as it came in. `at`: seconds of the monotonic clock."""

    line: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`answers`: what the first request gets, the second, ...; the last one goes on. Change it as you like."""

    address: str
    answers: list[Answer]
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.heard]

    def take(self, heard: Heard) -> Answer:
        with self._lock:
            self.heard.append(heard)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def leave(self) -> None:
        with self._lock:
            self._now -= 1


def status(code: int, body: str = "", **headers: str) -> Answer:
    """An answer with a length, on a connection that stays. `Retry_After="7"` is the header Retry-After."""

    def answer(connection: socket.socket) -> None:
        lines = [f"HTTP/1.1 {code} Whatever", f"Content-Length: {len(body.encode())}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", body]).encode())

    return answer


def after(seconds: float, then: Answer) -> Answer:
    def answer(connection: socket.socket) -> None:
        time.sleep(seconds)
        then(connection)

    return answer


def raw(text: bytes) -> Answer:
    """Whatever bytes, and the connection ends."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(text)
        connection.close()

    return answer


def hang(connection: socket.socket) -> None:
    """Takes the request and says nothing."""
    _outlast(connection, b"")


def reset(connection: socket.socket) -> None:
    """Breaks the connection as a crash does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drip_headers(connection: socket.socket) -> None:
    """An answer that never comes to its end, a byte at a time: no single read is late."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _outlast(connection, b"a")


def drip_body(connection: socket.socket) -> None:
    """Says 200 at once, and then its body for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    _outlast(connection, b"b")


def endless_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    with suppress(OSError):
        for _ in range(10_000):
            connection.sendall(b"c" * 10_000)


def _outlast(connection: socket.socket, part: bytes) -> None:
    with suppress(OSError):
        for _ in range(_HANGS_SECONDS * 20):
            if part:
                connection.sendall(part)
            connection.settimeout(0.05)
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue


@contextmanager
def receiver(*answers: Answer, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Receiver]:
    """One that listens on any port of 127.0.0.1 until the end of the block."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            found.connections += 1
            connection: Any = self.request
            with suppress(OSError), ExitStack() as opened:
                if tls is not None:
                    connection = opened.enter_context(tls.wrap_socket(connection, server_side=True))
                while (heard := _read(connection)) is not None:
                    answer = found.take(heard)
                    try:
                        answer(connection)
                    finally:
                        found.leave()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", port), Handler) as server:
        scheme = "http" if tls is None else "https"
        found = Receiver(f"{scheme}://127.0.0.1:{server.server_address[1]}/hook", list(answers) or [status(200)])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            found.ended.set()
            server.shutdown()
            thread.join()


def _read(connection: socket.socket) -> Heard | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    return Heard(line, headers, body, time.monotonic())
