"""One HTTP request as ASGI gives it: headers, who asks, its body within the limits (E-9, E-12)."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from itertools import chain, count
from typing import Any
from urllib.parse import parse_qs

from muster.edge.errors import EdgeError, body_too_large

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SECONDS_FOR_A_BODY = 10
LARGEST_HEADERS_BYTES = 16 * 1024
LARGEST_URL_BYTES = 8 * 1024
_GZIP = b"\x1f\x8b"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_GZIP_WINDOW = zlib.MAX_WBITS | 16
# Of requests that bring no id: this process, and a number.
_PROCESS = secrets.token_hex(8)
_numbers = count(1)


class Request:
    """Headers by name in small letters; of one that is sent twice the last counts."""

    __slots__ = ("_receive", "_scope", "headers", "id", "is_shared", "method", "path")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._scope = scope
        self._receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        asked = self.header(b"x-request-id") if b"x-request-id" in self.headers else ""
        self.id = asked if asked and _REQUEST_ID.fullmatch(asked) else f"{_PROCESS}{next(_numbers):08x}"
        self.is_shared = True
        """Whether pages of other origins may read the answer."""

    def header(self, name: bytes) -> str:
        """Empty if it was not sent."""
        return self.headers.get(name, b"").decode("latin-1").strip()

    def query(self, name: str) -> str | None:
        text = self._scope["query_string"].decode("latin-1")
        found = parse_qs(text, keep_blank_values=True).get(name) if text else None
        return found[-1] if found else None

    @property
    def peer(self) -> str:
        client = self._scope.get("client")
        return client[0] if client else ""

    @property
    def is_over_tls(self) -> bool:
        """As it came, or as a proxy says it came to it; anybody can say that."""
        return self._scope.get("scheme") == "https" or self.header(b"x-forwarded-proto") == "https"

    def check_head(self) -> None:
        """413 for headers or an address beyond the limits."""
        sent = self._scope["headers"]
        headers = len(b"".join(chain.from_iterable(sent))) + 4 * len(sent)
        address = len(self._scope.get("raw_path") or b"") + len(self._scope["query_string"])
        if headers > LARGEST_HEADERS_BYTES or address > LARGEST_URL_BYTES:
            raise EdgeError(413, "body_too_large", "Headers may have 16 KiB, an address 8 KiB.")

    async def body(self, largest_bytes: int) -> bytes:
        """The body, unpacked if it is gzip, whatever the headers say. 408, 413, 415, or 400 where it ends too soon."""
        length = self.headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > largest_bytes:
            raise body_too_large(largest_bytes)
        raw = await in_time(self._read(largest_bytes))
        if raw.startswith(_GZIP):
            return unpacked(raw, largest_bytes)
        if b"content-encoding" not in self.headers:
            return raw
        encoding = self.header(b"content-encoding").lower()
        # A proxy may have unpacked it and left the header.
        if encoding not in ("", "gzip", "identity") and not raw.lstrip().startswith((b"{", b"[")):
            raise EdgeError(415, "encoding_unsupported", "Send the body as it is, or packed with gzip.")
        return raw

    async def _read(self, largest_bytes: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise ClientGone
            part = event.get("body", b"")
            size += len(part)
            if size > largest_bytes:
                raise body_too_large(largest_bytes)
            parts.append(part)
            if not event.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)


_waiting: dict[asyncio.Task[Any], float] = {}


async def in_time(reading: Coroutine[Any, Any, bytes]) -> bytes:
    """What is read, or 408. Nearly all bodies are there at once: a clock of its own would cost each of them a tenth of
    the request, so one for all looks once a second (`end_slow_bodies`)."""
    task = asyncio.current_task()
    assert task is not None
    _waiting[task] = time.monotonic() + SECONDS_FOR_A_BODY
    try:
        return await reading
    except asyncio.CancelledError:
        if task in _waiting or task.uncancel():
            raise
        message = f"The body must arrive within {SECONDS_FOR_A_BODY} seconds."
        raise EdgeError(408, "body_timeout", message) from None
    finally:
        _waiting.pop(task, None)


def end_slow_bodies(now: float) -> None:
    """Once a second."""
    for task, until in list(_waiting.items()):
        if now >= until:
            del _waiting[task]
            task.cancel()


class ClientGone(Exception):
    """Nobody waits for an answer any more."""


def unpacked(raw: bytes, largest_bytes: int) -> bytes:
    """All members of a gzip file; 413 as soon as they are larger, 400 where they are broken."""
    whole = bytearray()
    rest = raw
    try:
        while rest.startswith(_GZIP):
            member = zlib.decompressobj(_GZIP_WINDOW)
            whole += member.decompress(rest, largest_bytes + 1 - len(whole))
            if len(whole) > largest_bytes:
                raise body_too_large(largest_bytes)
            if not member.eof:
                raise zlib.error("it ends too soon")
            rest = member.unused_data
    except zlib.error as error:
        raise EdgeError(400, "invalid_json", f"The body says it is gzip and cannot be unpacked: {error}.") from None
    return bytes(whole)
