"""Answers as they go over the wire: JSON bodies, headers that every answer has, errors by who asks (E-10, E-12)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from muster.edge.errors import EdgeError, MethodNotAllowed
from muster.edge.request import Request, Send

Headers = list[tuple[bytes, bytes]]

_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")
_ALLOWED_HEADERS = (
    b"Content-Type, Content-Encoding, Authorization, X-API-Key, X-Muster-Key, X-Muster-Customer, X-Muster-Device, "
    b"X-Muster-Enrol, X-Muster-Version, If-None-Match, Idempotency-Key"
)
_EXPOSED_HEADERS = b"ETag, Retry-After, X-Request-Id, X-Muster-Position, X-Muster-Generation"


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: Iterable[tuple[bytes, bytes]] = ()


def json_answer(value: Any, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
    return Answer(status, orjson.dumps(value), (_JSON, *headers))


def error_answer(request: Request, error: EdgeError) -> Answer:
    """As the clients of the path read it."""
    headers: Headers = []
    if error.retry_after_seconds is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
    if error.status == 429:
        headers.append((b"x-ratelimit-reset", b"%d" % (error.retry_after_seconds or 1)))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allowed).encode("ascii")))
    if error.status in (408, 413):
        # What is left of the body is not read.
        headers.append((b"connection", b"close"))
    if request.path.startswith("/v1/"):
        body = {"success": False, "code": error.code, "message": error.message}
        return json_answer(body, error.status, headers)
    problem = {"type": "about:blank", "title": error.message, "status": error.status, "code": error.code}
    return Answer(error.status, orjson.dumps(problem), (_PROBLEM, *headers))


def preflight(request: Request) -> Answer:
    """A browser asks before it sends; which origins may is decided with the key, which it does not show yet."""
    return Answer(
        204,
        headers=(
            (b"access-control-allow-origin", request.headers.get(b"origin", b"*")),
            (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE, OPTIONS"),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", b"7200"),
        ),
    )


async def send_answer(send: Send, request: Request, answer: Answer) -> None:
    body = b"" if request.method == "HEAD" else answer.body
    headers = [
        (b"x-request-id", request.id.encode("ascii")),
        (b"cache-control", b"private, no-store"),
        *answer.headers,
    ]
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    if b"origin" in request.headers:
        headers.append((b"vary", b"Origin"))
        if request.method != "OPTIONS":
            headers.append((b"access-control-allow-origin", request.headers[b"origin"]))
            headers.append((b"access-control-expose-headers", _EXPOSED_HEADERS))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
