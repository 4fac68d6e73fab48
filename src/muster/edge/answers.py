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
_OFREP_FLAGS = "/ofrep/v1/evaluate/flags/"
_OFREP_CODES = {
    "invalid_json": "PARSE_ERROR",
    "context_invalid": "INVALID_CONTEXT",
    "flag_not_found": "FLAG_NOT_FOUND",
    "plan_missing": "PROVIDER_NOT_READY",
}
"""What OpenFeature calls our errors; all others are GENERAL there."""


class Answer(NamedTuple):
    """`cache`, `varies`: what caches may do with it, and what it depends on (E-39)."""

    status: int
    body: bytes = b""
    headers: Iterable[tuple[bytes, bytes]] = ()
    cache: bytes = b"private, no-store"
    varies: bytes = b""


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
    if request.path.startswith("/ofrep/"):
        return _ofrep_error(request, error, headers)
    problem = {"type": "about:blank", "title": error.message, "status": error.status, "code": error.code}
    return Answer(error.status, orjson.dumps(problem), (_PROBLEM, *headers))


def _ofrep_error(request: Request, error: EdgeError, headers: Headers) -> Answer:
    """OpenFeature's clients read both members without asking whether they are there."""
    said = {"errorCode": _OFREP_CODES.get(error.code, "GENERAL"), "errorDetails": error.message}
    if request.path.startswith(_OFREP_FLAGS):
        said = {"key": request.path.removeprefix(_OFREP_FLAGS), **said}
    return json_answer(said, error.status, headers)


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


async def send_answer(send: Send, request: Request, answer: Answer, *, closing: bool = False) -> None:
    status, body, more, cache, varies = answer
    headers = [(b"x-request-id", request.id.encode("ascii")), (b"cache-control", cache), *more]
    if closing:
        headers.append((b"connection", b"close"))
    if status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(body)))
    origin = request.headers.get(b"origin")
    if varies or origin is not None:
        headers.append((b"vary", varies or b"Origin"))
    # A secret in a page would be none: browsers are told nothing of what a server key asked.
    if origin is not None and request.is_shared and request.method != "OPTIONS":
        headers.append((b"access-control-allow-origin", origin))
        headers.append((b"access-control-expose-headers", _EXPOSED_HEADERS))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
