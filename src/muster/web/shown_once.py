"""A secret that a form has made, until the page that follows has shown it.

In the memory of this process only: never in an address, on disk or in a log. One process serves the pages; if it ends
in between, nobody sees the secret, and whoever wanted it makes another.
"""

from __future__ import annotations

import threading
import time

from django.http import HttpRequest

# From the answer to the form to the page after it; a browser takes no second.
_KEPT_SECONDS = 120.0
# A guess: more are under way only if somebody makes them and never looks.
_MOST = 200

_lock = threading.Lock()
_kept: dict[tuple[str, str], tuple[str, float]] = {}


def keep_secret(request: HttpRequest, thing: str, secret: str) -> None:
    """`thing`: which page will show it, for example `key:key_1`. Only the session that made it will see it."""
    now = time.monotonic()
    with _lock:
        for name in [name for name, (_, until) in _kept.items() if until <= now]:
            del _kept[name]
        while len(_kept) >= _MOST:
            del _kept[next(iter(_kept))]
        _kept[_name(request, thing)] = (secret, now + _KEPT_SECONDS)


def take_secret(request: HttpRequest, thing: str) -> str:
    """Once; empty from then on, and if there was none."""
    with _lock:
        secret, until = _kept.pop(_name(request, thing), ("", 0.0))
    return secret if until > time.monotonic() else ""


def _name(request: HttpRequest, thing: str) -> tuple[str, str]:
    return request.session.session_key or "", thing
