"""A form that makes something makes it once, also where a double click or an impatient reload sends it twice.

The token of a page is drawn anew for each rendering, so the same token with the same fields is the same sheet of paper.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from muster.web.errors import IdempotencyConflict
from muster.web.hooks import identify
from muster.web.idempotency import begin, keep, replay
from muster.web.models import IdempotentAnswer

View = Callable[..., HttpResponse]
# How long the second waits for what the first is doing.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 10.0, 0.1


def sent_once(view: View) -> View:
    """For a view that answers a redirect when something was made: the same form sent again is answered the same."""

    @wraps(view)
    def answered(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:
        asker = identify(request)
        if request.method != "POST" or asker is None:
            return view(request, *given, **named)
        answer = _begun(f"{asker.kind}:{asker.id}", _sheet(request))
        if answer.status is not None:
            return replay(answer)
        made = False
        try:
            response = view(request, *given, **named)
            if made := response.status_code == 302 or "HX-Redirect" in response.headers:
                keep(answer, response)
            return response
        finally:
            if not made:
                answer.delete()

    return answered


def _sheet(request: HttpRequest) -> str:
    digest = hashlib.sha256(request.get_full_path().encode())
    for name, texts in request.POST.lists():
        digest.update(repr((name, texts)).encode())
    return f"form:{digest.hexdigest()}"


def _begun(principal: str, key: str) -> IdempotentAnswer:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return begin(principal, key, "")
        except IdempotencyConflict:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
