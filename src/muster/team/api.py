"""The API's one door, and its paths about tokens and oneself."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Router
from ninja.errors import HttpError
from ninja.responses import Status
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from muster.team import queries
from muster.team.actions import invitations, members, setup, tokens
from muster.team.actions.passwords import make_password_link
from muster.team.actions.preferences import change_preferences
from muster.team.hooks import organisation_now
from muster.team.models import Member
from muster.team.policies import Principal, check_scope
from muster.team.queries import preferences_of
from muster.team.schemas import (
    InvitationCreate,
    InvitationList,
    InvitationMade,
    MemberOut,
    MeOut,
    OwnerCreate,
    PathOut,
    PreferencesChange,
    PreferencesOut,
    SetupLinkOut,
    TeamMemberChange,
    TeamMemberList,
    TeamMemberOut,
    TokenCreate,
    TokenCreated,
    TokenList,
)
from muster.team.terms import SCOPES
from muster.web.errors import WebError
from muster.web.hooks import Preferences
from muster.web.idempotency import show_once

router = Router(tags=["team"])


class MusterAuth(AuthBase):
    """Lets in whom `principal_of` knows; `request.auth` is then the Principal."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Principal | None:
        principal = queries.principal_of(request)
        if principal is None:
            return None
        # A session travels with every request a browser sends, also with those another site made it send.
        if principal.kind == "member" and check_csrf(request):
            raise WebError("Send the CSRF token of the page as `X-CSRFToken`.", code="csrf_failed")
        if principal.kind == "token":
            tokens.note_token_used(principal)
        return principal


def asker(request: HttpRequest) -> Principal:
    """The Principal of a request that the door let in."""
    principal = getattr(request, "auth", None)
    if not isinstance(principal, Principal):
        raise HttpError(401, "Unauthorized")
    return principal


def permitted(request: HttpRequest, scope: str) -> Principal:
    """The Principal of a request, who has the scope."""
    principal = asker(request)
    check_scope(principal, scope)
    return principal


@router.get("/me", response=MeOut, operation_id="me", exclude_none=True)
def me(request: HttpRequest) -> dict[str, Any]:
    """Who I am, and what I may do."""
    principal = asker(request)
    scopes = [scope for scope in SCOPES if scope in principal.scopes]
    who: dict[str, Any] = {"kind": principal.kind, "id": principal.id, "label": principal.label, "scopes": scopes}
    if principal.kind == "member" and isinstance(request.user, Member):
        who |= {"role": request.user.role, "name": request.user.name, "preferences": preferences_of(request)}
    return who


@router.patch("/me/preferences", response=PreferencesOut, operation_id="change_preferences")
def patch_preferences(request: HttpRequest, changes: PreferencesChange) -> Preferences:
    """How pages are shown to me."""
    return change_preferences(asker(request), changes.model_dump(exclude_none=True))


@router.get("/tokens", response=TokenList, operation_id="list_tokens")
def list_tokens(request: HttpRequest) -> dict[str, Any]:
    check_scope(asker(request), "team:admin")
    return {"items": [asdict(token) for token in queries.tokens()]}


@router.post("/tokens", response={201: TokenCreated}, operation_id="create_token")
def create_token(request: HttpRequest, token: TokenCreate) -> Status[Any]:
    """A token for a program. Its secret is in this answer and nowhere else."""
    show_once(request)
    view, secret = tokens.create_token(asker(request), token.name, token.scopes)
    return Status(201, {**asdict(view), "secret": secret})


@router.delete("/tokens/{token_id}", response={204: None}, operation_id="revoke_token")
def revoke_token(request: HttpRequest, token_id: str) -> Status[Any]:
    """From now on it opens nothing."""
    tokens.revoke_token(asker(request), token_id)
    return Status(204, None)


@router.get("/team", response=TeamMemberList, operation_id="list_team")
def list_team(request: HttpRequest) -> dict[str, Any]:
    permitted(request, "team:admin")
    return {"items": queries.members()}


@router.patch("/team/{member_id}", response=TeamMemberOut, operation_id="change_team_member")
def patch_team_member(request: HttpRequest, member_id: str, change: TeamMemberChange) -> queries.MemberView:
    """All of it or nothing."""
    actor = permitted(request, "team:admin")
    with transaction.atomic():
        if change.role is not None:
            members.change_role(actor, member_id, change.role)
        if change.permissions is not None:
            members.change_scopes(actor, member_id, change.permissions)
        if change.is_active is not None:
            (members.reactivate if change.is_active else members.deactivate)(actor, member_id)
    return queries.member(member_id)


@router.post("/team/{member_id}/password-link", response={201: PathOut}, operation_id="create_password_link")
def create_password_link(request: HttpRequest, member_id: str) -> Status[Any]:
    """For a member who has forgotten the password: one use, 24 hours."""
    show_once(request)
    return Status(201, {"path": f"/password?token={make_password_link(asker(request), member_id)}"})


@router.get("/invitations", response=InvitationList, operation_id="list_invitations")
def list_invitations(request: HttpRequest) -> dict[str, Any]:
    """Those nobody has accepted."""
    permitted(request, "team:admin")
    return {"items": queries.invitations()}


@router.post("/invitations", response={201: InvitationMade}, operation_id="create_invitation")
def create_invitation(request: HttpRequest, wanted: InvitationCreate) -> Status[Any]:
    """A link for somebody: one use, 7 days. It is in this answer and nowhere else."""
    show_once(request)
    view, secret = invitations.invite(asker(request), wanted.email, wanted.role)
    return Status(201, {**asdict(view), "path": f"/invitation?token={secret}"})


@router.delete("/invitations/{invitation_id}", response={204: None}, operation_id="revoke_invitation")
def revoke_invitation(request: HttpRequest, invitation_id: str) -> Status[Any]:
    """Its link opens nothing any more."""
    invitations.revoke_invitation(asker(request), invitation_id)
    return Status(204, None)


@router.post("/setup/link", response={201: SetupLinkOut}, operation_id="create_setup_link")
def create_setup_link(request: HttpRequest) -> Status[Any]:
    """While nobody owns the installation: a link with which somebody does. Earlier links stop working."""
    check_scope(asker(request), "team:admin")
    show_once(request)
    return Status(201, {"path": f"/setup?token={setup.create_setup_link()}"})


@router.post("/setup", response={201: MemberOut}, operation_id="set_up")
def set_up(request: HttpRequest, owner: OwnerCreate) -> Status[Any]:
    """While nobody owns the installation: its first owner, and the publisher's settings."""
    check_scope(asker(request), "team:admin")
    said = {name: value for name in ("language", "time_zone", "currency") if (value := getattr(owner, name))}
    organisation = replace(organisation_now[0](), name=owner.organisation, **said)
    member = setup.create_owner(owner.email, owner.password, organisation)
    return Status(201, {"id": member.id, "email": member.email, "role": member.role})
