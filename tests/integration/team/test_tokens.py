"""Tokens, scopes, sessions: who gets in, and what they may do. Alice owns, Bob looks, Charlie is nobody."""

from __future__ import annotations

import pytest
from django.test import Client

from muster.audit.queries import newest_deeds
from muster.team.actions.members import create_member
from muster.team.actions.tokens import create_token, revoke_token
from muster.team.errors import ScopeMissing
from muster.team.models import ApiToken, Member
from muster.team.policies import LOCAL, Principal, can, check_scope, member_principal
from muster.team.terms import SCOPES
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def _with(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_owner_may_everything_and_viewer_only_looks(alice: Member, bob: Member) -> None:
    editor = create_member(LOCAL, "eve@example.com", PASSWORD, "editor")
    may = {
        member.role: [scope for scope in SCOPES if can(member_principal(member), scope)]
        for member in (alice, bob, editor)
    }
    assert may == {
        "owner": list(SCOPES),
        "viewer": ["groups:read", "customers:read", "catalog:read", "jobs:read"],
        "editor": [
            "groups:read",
            "groups:write",
            "members:read",
            "customers:read",
            "customers:write",
            "customers:personal",
            "catalog:read",
            "catalog:write",
            "webhooks:read",
            "jobs:read",
        ],
    }


def test_missing_scope_names_it_and_who_grants_it(bob: Member) -> None:
    """D-42"""
    with pytest.raises(ScopeMissing) as refused:
        check_scope(member_principal(bob), "groups:write")
    assert refused.value.message == "Needs permission groups:write; an owner can grant it."


def test_token_opens_the_api_with_its_scopes_until_it_is_revoked(alice: Member) -> None:
    token, secret = create_token(member_principal(alice), "ci", ["jobs:read", "groups:read"])
    ci = _with(secret)
    assert ci.get("/api/v1/me").json() == {
        "kind": "token",
        "id": token.id,
        "label": "ci",
        "scopes": ["groups:read", "jobs:read"],
    }
    assert ci.get("/api/v1/jobs").status_code == 200
    refused = ci.get("/api/v1/tokens")
    assert (refused.status_code, refused.json()["code"], refused.json()["scope"]) == (
        403,
        "scope_missing",
        "team:admin",
    )
    revoke_token(member_principal(alice), token.id)
    assert ci.get("/api/v1/me").status_code == 401


def test_secret_of_a_token_is_stored_nowhere(alice: Member) -> None:
    _, secret = create_token(member_principal(alice), "ci", ["groups:read"])
    stored = " ".join(str(value) for value in ApiToken.objects.values_list().get())
    assert (secret in stored, secret.removeprefix("mst_") in stored) == (False, False)


def test_use_of_a_token_is_noted(alice: Member) -> None:
    _, secret = create_token(member_principal(alice), "ci", ["groups:read"])
    assert ApiToken.objects.get().last_used_at is None
    _with(secret).get("/api/v1/me")
    assert ApiToken.objects.get().last_used_at is not None


def test_token_cannot_do_more_than_who_makes_it() -> None:
    admin = Principal("token", "tok_1", "admin", frozenset({"team:admin", "groups:read"}))
    with pytest.raises(ScopeMissing) as refused:
        create_token(admin, "more", ["groups:read", "customers:erase"])
    assert refused.value.scope == "customers:erase"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"name": "", "scopes": ["groups:read"]}, "value_not_allowed", "/name"),
        ({"name": "ci", "scopes": []}, "value_not_allowed", "/scopes"),
        ({"name": "ci", "scopes": ["groups:read", "groups:steal"]}, "value_not_allowed", "/scopes/1"),
        ({"name": "ci", "scopes": ["groups:read"], "admin": True}, "field_unknown", "/admin"),
    ],
)
def test_token_that_cannot_be_made_says_why(as_local: Client, body: object, code: str, pointer: str) -> None:
    answer = as_local.post("/api/v1/tokens", body, content_type="application/json")
    assert answer.status_code == 422
    assert [(error["code"], error["pointer"]) for error in answer.json()["errors"]] == [(code, pointer)]


@pytest.mark.parametrize("header", ["Bearer mst_made-up", "Bearer ", "Basic YWxpY2U6eA==", "mst_x"])
def test_bearer_that_is_not_ours_is_nobody(as_charlie: Client, header: str) -> None:
    assert as_charlie.get("/api/v1/me", headers={"Authorization": header}).status_code == 401


def test_bearer_that_is_not_ours_is_nobody_even_on_the_local_socket(as_local: Client) -> None:
    assert as_local.get("/api/v1/me").status_code == 200
    assert as_local.get("/api/v1/me", headers={"Authorization": "Bearer mst_made-up"}).status_code == 401


def test_nobody_becomes_local_by_a_header(as_charlie: Client) -> None:
    for name in ("muster.local", "Muster-Local", "muster_local"):
        assert as_charlie.get("/api/v1/me", headers={name: "True"}).status_code == 401
    # Not even a value in the environment that is not the server's own.
    assert Client(**{"muster.local": "True"}).get("/api/v1/me").status_code == 401  # type: ignore[arg-type]  # environ


def test_session_reads_the_api_but_writes_only_with_the_token_of_a_page(as_alice: Client) -> None:
    assert as_alice.get("/api/v1/me").json()["label"] == "alice@example.com"
    body = {"name": "ci", "scopes": ["groups:read"]}
    refused = as_alice.post("/api/v1/tokens", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert ApiToken.objects.count() == 0

    as_alice.get("/jobs/")
    token = as_alice.cookies["csrftoken"].value
    made = as_alice.post("/api/v1/tokens", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert made.status_code == 201


def test_viewer_may_not_administer_tokens(as_bob: Client) -> None:
    answer = as_bob.get("/api/v1/tokens")
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "Needs permission team:admin; an owner can grant it.",
    )


def test_what_was_done_is_in_the_trail(alice: Member) -> None:
    owner = member_principal(alice)
    token, _ = create_token(owner, "ci", ["groups:read"])
    revoke_token(owner, token.id)
    deeds = [(deed.actor_label, deed.action, deed.thing_id, deed.details) for deed in newest_deeds(2)]
    assert deeds == [
        ("alice@example.com", "token.revoke", token.id, {"name": "ci"}),
        ("alice@example.com", "token.create", token.id, {"name": "ci", "scopes": ["groups:read"]}),
    ]
