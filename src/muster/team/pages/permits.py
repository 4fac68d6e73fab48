"""Who asks for a page, and why somebody may not do what its buttons do (D-42)."""

from __future__ import annotations

from django.http import HttpRequest

from muster.kernel.errors import MusterError
from muster.team.models import Member
from muster.team.policies import Principal
from muster.web.errors import NotFound
from muster.web.hooks import check_scope, identify
from muster.web.wording import said


def permitted(request: HttpRequest, *scopes: str) -> Principal:
    """Who asks, having every scope; `scope_missing` names the first that is not there."""
    asker = identify(request)
    for scope in scopes:
        check_scope(asker, scope)
    assert isinstance(asker, Principal)
    return asker


def refusal(asker: Principal, *scopes: str) -> str:
    """The sentence the API would answer with; nothing if it would let them."""
    for scope in scopes:
        try:
            check_scope(asker, scope)
        except MusterError as error:
            return said(error.message)
    return ""


def reader(request: HttpRequest) -> Member:
    """The member whose own page it is."""
    if not isinstance(request.user, Member):
        raise NotFound("There is nothing here, or it is not visible to you.")
    return request.user
