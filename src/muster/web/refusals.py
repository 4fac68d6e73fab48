"""What an action on many things left undone, and why: told once, on the page after it (D-32)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from muster.web.wording import said

_LINE = "refusals"
_MOST = 50


def tell_refusals(request: HttpRequest, title: str, refused: Sequence[tuple[str, str, str]]) -> None:
    """`refused`: name of the thing, why not, and the stable code of the error or nothing."""
    told = [[name, said(reason), code] for name, reason, code in refused[:_MOST]]
    request.session[_LINE] = {"title": title, "refused": told, "more": len(refused) - len(told)}


def refusals_of(request: HttpRequest) -> dict[str, Any] | None:
    session = getattr(request, "session", None)
    return session.pop(_LINE) if session is not None and _LINE in session else None
