"""Who sent a request; the team, its tokens, invitations and sessions as pages and programs read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from muster.kernel.clock import system_clock
from muster.team.errors import InvitationInvalid, MemberUnknown, PasswordLinkInvalid
from muster.team.models import ApiToken, Invitation, Member, MemberSession, PasswordLink, secret_hash
from muster.team.policies import LOCAL, Principal, member_principal
from muster.team.terms import BROWSERS, SYSTEMS
from muster.web.hooks import Preferences

# ADR 0020: a working day without a look, and a fortnight at most, whatever happens.
SESSION_IDLE = timedelta(hours=12)
SESSION_LONGEST = timedelta(days=14)
AUTO = "auto"
TOKEN_PREFIX = "mst_"  # noqa: S105 - not a secret but what secrets begin with


@dataclass(frozen=True)
class TokenView:
    """A token without its secret, which nobody can read again."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def has_owner() -> bool:
    return Member.objects.filter(role="owner").exists()


def has_colleagues() -> bool:
    """Whether the owner is not alone, or has asked somebody."""
    return Member.objects.count() > 1 or Invitation.objects.exists()


def principal_of(request: HttpRequest) -> Principal | None:
    """Who sent the request, or None: a bearer token, else the local socket, else the member of the session.

    A bearer that is not ours is nobody, even on the local socket: it would hide a mistake in somebody's script.
    Looked up once for a request.
    """
    if not hasattr(request, "muster_principal"):
        request.muster_principal = _principal_of(request)  # type: ignore[attr-defined]  # our own note on it
    principal: Principal | None = request.muster_principal  # type: ignore[attr-defined]  # as above
    return principal


def _principal_of(request: HttpRequest) -> Principal | None:
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        return _token_principal(secret.strip()) if scheme.lower() == "bearer" else None
    # Set by our own server for its own socket; what a client sends as a header stands under HTTP_*.
    if request.META.get("muster.local") is True:
        return LOCAL
    member = getattr(request, "user", None)
    return member_principal(member) if isinstance(member, Member) and member.is_active else None


def _token_principal(secret: str) -> Principal | None:
    token = ApiToken.objects.filter(secret_hash=secret_hash(secret), revoked_at=None).first()
    return Principal("token", token.id, token.name, frozenset(token.scopes)) if token else None


def tokens() -> list[TokenView]:
    """Newest first, the revoked among them."""
    return [token_view(token) for token in ApiToken.objects.order_by("-created_at", "-id")]


def token_view(token: ApiToken) -> TokenView:
    return TokenView(
        token.id,
        token.name,
        tuple(token.scopes),
        token.created_by,
        token.created_at,
        token.last_used_at,
        token.revoked_at,
    )


@dataclass(frozen=True)
class MemberView:
    """`second_factor`: whether a password alone does not open the account."""

    id: str
    email: str
    name: str
    role: str
    granted: tuple[str, ...]
    withheld: tuple[str, ...]
    scopes: frozenset[str]
    second_factor: bool
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime

    @property
    def label(self) -> str:
        return self.name or self.email


def members() -> list[MemberView]:
    """Those who may log in first, then by address."""
    return [_member_view(row) for row in _rows().order_by("-is_active", "email")]


def member(member_id: str) -> MemberView:
    """`member_unknown`"""
    row = _rows().filter(pk=member_id).first()
    if row is None:
        raise MemberUnknown(member_id)
    return _member_view(row)


def member_row(member_id: str) -> Member:
    """`member_unknown`"""
    row = Member.objects.filter(pk=member_id).first()
    if row is None:
        raise MemberUnknown(member_id)
    return row


def _rows() -> Any:
    keys = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return Member.objects.annotate(second_factor=Exists(keys))


def connected(member: Member) -> list[str]:
    """Under which names a provider knows them."""
    return [
        str(account.extra_data.get("userinfo", {}).get("email", account.uid))
        for account in SocialAccount.objects.filter(user=member)
    ]


def _member_view(row: Member) -> MemberView:
    return MemberView(
        row.id,
        row.email,
        row.name,
        row.role,
        tuple(row.granted),
        tuple(row.withheld),
        row.scopes,
        bool(getattr(row, "second_factor", False)),
        row.is_active,
        row.last_login,
        row.created_at,
    )


@dataclass(frozen=True)
class InvitationView:
    id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime

    @property
    def expired(self) -> bool:
        return self.expires_at <= system_clock()


def invitations() -> list[InvitationView]:
    """Those nobody has accepted, newest first; what has expired stays until it is revoked or repeated."""
    return [invitation_view(row) for row in Invitation.objects.order_by("-created_at", "-id")]


def invitation_of(secret: str) -> InvitationView:
    """`invitation_invalid` unless the link can be used now."""
    row = Invitation.objects.filter(secret_hash=secret_hash(secret), expires_at__gt=system_clock()).first()
    if row is None:
        raise InvitationInvalid
    return invitation_view(row)


def invitation_view(row: Invitation) -> InvitationView:
    return InvitationView(row.id, row.email, row.role, row.invited_by, row.created_at, row.expires_at)


def password_link_member(secret: str) -> Member:
    """Whose link it is. `password_link_invalid` unless it can be used now."""
    usable = PasswordLink.objects.filter(secret_hash=secret_hash(secret), expires_at__gt=system_clock())
    row = usable.filter(member__is_active=True).select_related("member").first()
    if row is None:
        raise PasswordLinkInvalid
    return row.member


@dataclass(frozen=True)
class SessionView:
    """`id` names it without being of use to anybody else."""

    id: str
    browser: str
    began_at: datetime
    seen_at: datetime
    current: bool


def sessions_of(member: Member, request: HttpRequest) -> list[SessionView]:
    """The one that asks first, then those used last."""
    now = system_clock()
    rows = member.sessions.filter(seen_at__gte=now - SESSION_IDLE, began_at__gte=now - SESSION_LONGEST).order_by(
        "-seen_at"
    )
    views = [
        SessionView(
            session_id(row),
            _browser_name(row.browser),
            row.began_at,
            row.seen_at,
            row.session_key == request.session.session_key,
        )
        for row in rows
    ]
    return sorted(views, key=lambda view: not view.current)


def session_id(row: MemberSession) -> str:
    """Names a session in addresses."""
    return secret_hash(row.session_key)[:16]


def _browser_name(said: str) -> str:
    """`Firefox, Windows`; what nobody knows as it is, its first 60 characters."""
    named = [next((name for sign, name in signs if sign in said), "") for signs in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in named if name) or said[:60]


def preferences(member: Member) -> Preferences:
    """`auto` where the browser or the organisation decides."""
    return Preferences(
        member.language or AUTO,
        member.time_zone or AUTO,
        member.theme,
        member.density,
        member.rows,
        member.hidden_columns,
    )


def preferences_of(request: HttpRequest) -> Preferences:
    """Of whoever reads the page; somebody who is not a member has the usual ones."""
    member = getattr(request, "user", None)
    return preferences(member) if isinstance(member, Member) else Preferences()
