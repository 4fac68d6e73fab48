"""The team over REST: the same rules as on its pages, for programs and the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from muster.team.models import Invitation, Member

pytestmark = pytest.mark.django_db


def _send(browser: Client, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    return browser.generic(method, f"/api/v1{path}", _json(body), content_type="application/json")


def _json(body: dict[str, Any] | None) -> bytes:
    return json.dumps(body).encode() if body is not None else b""


def test_team_is_listed_and_changed(as_local: Client, alice: Member, bob: Member) -> None:
    items = as_local.get("/api/v1/team").json()["items"]
    assert [(one["email"], one["role"], one["second_factor"], one["is_active"]) for one in items] == [
        ("alice@example.com", "owner", False, True),
        ("bob@example.com", "viewer", False, True),
    ]
    change = {"role": "editor", "permissions": {"audit:read": True, "groups:write": False}}
    changed = _send(as_local, "PATCH", f"/team/{bob.id}", change)
    assert changed.status_code == 200
    assert [changed.json()[name] for name in ("role", "granted", "withheld")] == [
        "editor",
        ["audit:read"],
        ["groups:write"],
    ]
    assert _send(as_local, "PATCH", f"/team/{bob.id}", {"is_active": False}).json()["is_active"] is False
    assert _send(as_local, "PATCH", f"/team/{bob.id}", {"is_active": True}).json()["is_active"] is True


def test_change_is_whole_or_not_at_all(as_local: Client, bob: Member) -> None:
    refused = _send(as_local, "PATCH", f"/team/{bob.id}", {"role": "editor", "permissions": {"groups:steal": True}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/scopes")
    bob.refresh_from_db()
    assert bob.role == "viewer"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PATCH", "/team/mem_nobody", {"role": "viewer"}, 404, "member_unknown"),
        ("PATCH", "/team/ALICE", {"role": "viewer"}, 409, "last_owner"),
        ("PATCH", "/team/ALICE", {"is_active": False}, 409, "last_owner"),
        ("PATCH", "/team/BOB", {"role": "king"}, 422, "value_not_allowed"),
        ("POST", "/invitations", {"email": "x", "role": "viewer"}, 422, "value_not_allowed"),
        ("POST", "/invitations", {"email": "alice@example.com", "role": "viewer"}, 409, "key_taken"),
        ("DELETE", "/invitations/inv_none", None, 404, "invitation_unknown"),
        ("POST", "/team/mem_nobody/password-link", None, 404, "member_unknown"),
    ],
)
def test_what_cannot_be_done_says_why(
    as_local: Client, alice: Member, bob: Member, method: str, path: str, body: Any, status: int, code: str
) -> None:
    refused = _send(as_local, method, path.replace("ALICE", alice.id).replace("BOB", bob.id), body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_invitation_is_made_listed_and_revoked(as_local: Client, alice: Member) -> None:
    made = _send(as_local, "POST", "/invitations", {"email": "eve@example.com", "role": "viewer"})
    assert (made.status_code, Client().get(made.json()["path"]).status_code) == (201, 200)
    [listed] = as_local.get("/api/v1/invitations").json()["items"]
    assert (listed["email"], "path" in listed) == ("eve@example.com", False)
    assert _send(as_local, "DELETE", f"/invitations/{listed['id']}").status_code == 204
    assert (Invitation.objects.count(), Client().get(made.json()["path"]).status_code) == (0, 403)


def test_link_for_a_new_password(as_local: Client, bob: Member) -> None:
    made = _send(as_local, "POST", f"/team/{bob.id}/password-link")
    assert (made.status_code, Client().get(made.json()["path"]).status_code) == (201, 200)


@pytest.mark.parametrize("path", ["/team", "/invitations"])
def test_team_is_for_who_administers_it(as_bob: Client, as_charlie: Client, path: str) -> None:
    refused = as_bob.get(f"/api/v1{path}")
    assert (refused.status_code, refused.json()["scope"]) == (403, "team:admin")
    assert as_charlie.get(f"/api/v1{path}").status_code == 401
