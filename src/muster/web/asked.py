"""What one page asks several times is asked of the database once (a page that is only shown changes nothing)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from muster.web.problems import is_api

_Answer = TypeVar("_Answer")
_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


def once_a_page(ask: Callable[..., _Answer]) -> Callable[..., _Answer]:
    """Remembers the answer while a page is shown; whoever gets it leaves it as it is. Elsewhere it is asked anew."""

    @wraps(ask)
    def asked(**how: Hashable) -> _Answer:
        known = _answers.get()
        if known is None:
            return ask(**how)
        key = (ask, *sorted(how.items()))
        if key not in known:
            known[key] = ask(**how)
        answer: _Answer = known[key]
        return answer

    return asked


@contextmanager
def asked_once() -> Iterator[None]:
    """While a page is put together after whatever the request changed; inside another one that one goes on."""
    known = _answers.get()
    before = _answers.set({} if known is None else known)
    try:
        yield
    finally:
        _answers.reset(before)


class AskedOnce:
    """Middleware. Only of GET and HEAD, which change nothing; programs get answers as they were at each question."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD") or is_api(request):
            return self.get_response(request)
        with asked_once():
            return self.get_response(request)
