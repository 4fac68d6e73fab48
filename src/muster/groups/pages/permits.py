"""Who asks for a page, and why somebody may not do what its buttons do (D-42)."""

from __future__ import annotations

from django.http import HttpRequest

from muster.kernel.errors import MusterError
from muster.team.policies import Principal
from muster.web.hooks import check_scope, identify

# What is needed to see and to move an import of members, as over REST.
IMPORTING = ("members:read", "groups:write")


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
            return error.message
    return ""
