"""Who sent a request, and which tokens there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from muster.team.models import ApiToken, Member
from muster.team.policies import LOCAL, Principal, member_principal
from muster.team.secrets import secret_hash

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
