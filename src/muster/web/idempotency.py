"""A POST that names an Idempotency-Key is done once: asked again within 24 hours it answers what it answered before."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase

from muster.kernel.clock import system_clock
from muster.kernel.worded import worded
from muster.web import hooks
from muster.web.errors import IdempotencyConflict, RequestInvalid
from muster.web.models import IdempotentAnswer
from muster.web.problems import is_api, problem_response

KEPT = timedelta(hours=24)
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "HX-Redirect")
_CHUNK_BYTES = 64 * 1024
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
# Requests that a process had under way when it died are recognised by its name.
_PROCESS = secrets.token_hex(16)


class Idempotency:
    """Middleware after authentication. Only successes are kept: what was refused changed nothing and may be retried."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.headers.get("Idempotency-Key")
        asker = hooks.identify(request) if key and request.method == "POST" and is_api(request) else None
        if key is None or asker is None:
            return self.get_response(request)
        if not (1 <= len(key) <= 255 and key.isprintable()):
            message = worded("An Idempotency-Key has 1 to 255 printable characters.")
            return problem_response(RequestInvalid(message, code="idempotency_key_invalid"))
        try:
            answer = begin(f"{asker.kind}:{asker.id}", key, _hash(request))
        except (IdempotencyConflict, SuspiciousOperation, UnreadablePostError) as error:
            return problem_response(error)
        if answer.status is not None:
            return replay(answer)
        return self._answer(request, answer)

    def _answer(self, request: HttpRequest, answer: IdempotentAnswer) -> HttpResponseBase:
        kept = False
        try:
            response = self.get_response(request)
            if isinstance(response, HttpResponse) and 200 <= response.status_code < 300:
                keep(answer, _shown_once() if hasattr(request, "muster_shown_once") else response)
                kept = True
            return response
        finally:
            if not kept:
                answer.delete()


def begin(principal: str, key: str, request_hash: str) -> IdempotentAnswer:
    """The stored answer, or a new row without status for whoever may go on; else IdempotencyConflict."""
    now = system_clock()
    try:
        with transaction.atomic():
            IdempotentAnswer.objects.filter(created_at__lt=now - KEPT).delete()
            return IdempotentAnswer.objects.create(
                principal=principal, key=key, request_hash=request_hash, process=_PROCESS, created_at=now
            )
    except IntegrityError:
        answer = IdempotentAnswer.objects.filter(principal=principal, key=key).first()
    if answer is None or (answer.status is None and answer.process == _PROCESS):
        message = worded("A request with this Idempotency-Key is under way; wait for its answer, then ask again.")
        raise IdempotencyConflict(message, code="idempotency_in_progress")
    if answer.request_hash != request_hash:
        raise IdempotencyConflict("This Idempotency-Key was used for another request; take a new one.")
    if answer.status is None:
        # The process that worked on it died. Whether it had finished cannot be known, so it is done again.
        answer.process = _PROCESS
        answer.save(update_fields=["process"])
    return answer


def show_once(request: HttpRequest) -> None:
    """Called by a view whose answer holds a secret: it is not kept, and asking again says so."""
    request.muster_shown_once = True  # type: ignore[attr-defined]  # our own note on it


def _shown_once() -> HttpResponse:
    message = worded("This was done, and its secret was shown once. If it is lost, revoke it and make another.")
    return problem_response(IdempotencyConflict(message, code="idempotency_secret_shown"))


def keep(answer: IdempotentAnswer, response: HttpResponse) -> None:
    answer.status = response.status_code
    answer.headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    answer.body = response.content
    answer.save(update_fields=["status", "headers", "body"])


def replay(answer: IdempotentAnswer) -> HttpResponse:
    response = HttpResponse(bytes(answer.body), status=answer.status, headers=answer.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _hash(request: HttpRequest) -> str:
    """Of method, address and body. A multipart body counts without its boundary, which clients draw anew each time."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    boundary = _BOUNDARY.search(request.META.get("CONTENT_TYPE", ""))
    body = _body(request)
    for chunk in _without(boundary[1].encode(), body) if boundary else body:
        digest.update(chunk)
    return digest.hexdigest()


def _body(request: HttpRequest) -> Iterator[bytes]:
    """The body in pieces; an upload is left as it was, for the view to read."""
    stream: Any = request.META["wsgi.input"]
    if not stream.seekable():
        yield request.body
        return
    left = int(request.META.get("CONTENT_LENGTH") or 0)
    start = stream.tell()
    while left > 0 and (chunk := stream.read(min(left, _CHUNK_BYTES))):
        left -= len(chunk)
        yield chunk
    stream.seek(start)


def _without(mark: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without every occurrence of the mark, also where it lies across two of them."""
    kept = b""
    for chunk in chunks:
        *whole, kept = (kept + chunk).split(mark)
        yield b"".join(whole)
        rest = max(len(kept) - len(mark) + 1, 0)
        yield kept[:rest]
        kept = kept[rest:]
    yield kept
