"""Every address wants a login or says why not; every POST may name an Idempotency-Key; the description is whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from muster.team.api import MusterAuth
from muster.wiring.api import api

# Addresses below / for everybody, each with its reason. `\Z` and converters as Django prints them.
OPEN = {
    "healthz": "says that the process answers, and nothing else",
    "invitation": "the link is what opens it",
    "login": "whoever wants to log in is not logged in",
    "login/code": "who has given the password is not logged in yet",
    "login/passkey": "a passkey logs in",
    "login/cancelled": "leads back to the log-in page",
    "login/<slug:provider_id>/": "hands over to the provider that logs in",
    "login/<slug:provider_id>/callback/": "the provider sends people back here",
    "logout": "ends whatever session there is",
    "password": "the link is what opens it",
    "setup": "the one-time link is what opens it",
}
# Of the API's addresses these have no operation of ours.
DESCRIPTION = {
    "api/v1/openapi.json": "describes the doors and holds no data",
    "api/v1/": "Ninja's root, which answers nothing",
}


def _addresses(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _addresses(entry, address)
        elif isinstance(entry, URLPattern):
            yield address, entry.callback


def test_every_page_wants_a_login_or_says_why_not() -> None:
    open_pages = {
        address
        for address, view in _addresses(get_resolver())
        if not address.startswith("api/") and not getattr(view, "login_required", True)
    }
    assert open_pages == set(OPEN)


def test_every_operation_of_the_api_goes_through_the_one_door() -> None:
    operations = [
        (path, operation.methods, [type(callback) for callback in operation.auth_callbacks])
        for _, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
    ]
    assert operations
    assert [item for item in operations if item[2] not in ([], [MusterAuth])] == []
    # An operation without a door of its own has the API's.
    assert [type(callback) for callback in api.auth or []] == [MusterAuth]  # type: ignore[union-attr]  # it is set


@pytest.mark.django_db
def test_outsider_reads_nothing(as_charlie: Client) -> None:
    """Asked for in reality, with made-up values in the place of parameters."""
    answers = {}
    for address, _ in _addresses(get_resolver()):
        path = "/" + "".join(part.rpartition(">")[2] if ">" in part else part for part in _filled(address))
        if address in OPEN or address in DESCRIPTION or address.startswith("^"):
            continue
        answers[path] = as_charlie.get(path).status_code
    assert {path: status for path, status in answers.items() if status not in (302, 401, 405)} == {}


def _filled(address: str) -> list[str]:
    parts = []
    for part in address.rstrip("$").split("/"):
        parts.append("1" if part.startswith("<int:") else "x" if part.startswith("<") else part)
        parts.append("/")
    return parts[:-1]


@pytest.mark.django_db
def test_description_of_the_api_is_whole(as_charlie: Client) -> None:
    description = as_charlie.get("/api/v1/openapi.json").json()
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    identifiers = [operation["operationId"] for operation in operations]
    assert sorted(identifiers) == sorted(set(identifiers))
    assert [operation["operationId"] for operation in operations if not operation.get("responses")] == []
