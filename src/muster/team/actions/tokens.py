"""API tokens: made, used, revoked."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.kernel.worded import worded
from muster.team.errors import TokenUnknown, ValueNotAllowed
from muster.team.models import ApiToken, new_secret, secret_hash
from muster.team.policies import Principal, check_scope, clean_name
from muster.team.queries import TOKEN_PREFIX, TokenView, token_view
from muster.team.terms import SCOPES

# `last_used_at` is for people who look for forgotten tokens: a write per request would buy nothing.
_LAST_USED_STEP = timedelta(minutes=5)


def create_token(actor: Principal, name: str, scopes: list[str]) -> tuple[TokenView, str]:
    """The token and its secret, which is never shown again. A token cannot do more than who made it."""
    check_scope(actor, "team:admin")
    name = clean_name(name, longest=100)
    if not name:
        raise ValueNotAllowed(_("A token needs a name of 1 to 100 characters."), pointer="/name")
    if not scopes:
        raise ValueNotAllowed(_("A token without permissions can do nothing; choose at least one."), pointer="/scopes")
    for place, scope in enumerate(scopes):
        if scope not in SCOPES:
            message = worded("`{scope}` is no scope; there are {scopes}.", scope=scope, scopes=", ".join(SCOPES))
            raise ValueNotAllowed(message, pointer=f"/scopes/{place}")
        check_scope(actor, scope)
    secret = TOKEN_PREFIX + new_secret()
    with transaction.atomic():
        token = ApiToken.objects.create(
            id=new_id("tok"),
            name=name,
            secret_hash=secret_hash(secret),
            scopes=sorted(set(scopes), key=SCOPES.index),
            created_by=actor.label,
            created_at=system_clock(),
        )
        record(actor, "token.create", "token", token.id, {"name": name, "scopes": token.scopes})
    return token_view(token), secret


def revoke_token(actor: Principal, token_id: str) -> None:
    """From now on it opens nothing; revoking it again changes nothing. `token_unknown`."""
    check_scope(actor, "team:admin")
    with transaction.atomic():
        token = ApiToken.objects.filter(pk=token_id).first()
        if token is None:
            raise TokenUnknown(worded("There is no token {token}.", token=token_id))
        if token.revoked_at is None:
            token.revoked_at = system_clock()
            token.save(update_fields=["revoked_at"])
            record(actor, "token.revoke", "token", token.id, {"name": token.name})


def note_token_used(principal: Principal) -> None:
    """Keeps `last_used_at` of a token true to five minutes."""
    now = system_clock()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _LAST_USED_STEP)
    if ApiToken.objects.filter(stale, pk=principal.id).exists():
        ApiToken.objects.filter(pk=principal.id).update(last_used_at=now)
