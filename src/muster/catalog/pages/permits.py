"""Who asks for a page, why somebody may not do what its buttons do (D-42), and what a refused form answers (D-39)."""

from __future__ import annotations

from django.forms import Form
from django.http import HttpRequest

from muster.kernel.errors import MusterError
from muster.team.policies import Principal
from muster.web.hooks import check_scope, identify

# Forms are refused with the status a program would get (D-39).
REFUSED = 422


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


def unknown_parameters(request: HttpRequest, *known: str) -> list[str]:
    """What an address says that its page does not know: named, not ignored (D-29)."""
    return sorted(set(request.GET) - set(known))


def show_error(form: Form, error: MusterError) -> None:
    """At the field it points to, with its stable code (D-41)."""
    field = error.pointer.removeprefix("/").partition("/")[0]
    form.add_error(field if field in form.fields else None, f"{error.message} ({error.code})")
