"""Set-up of the installation, and API tokens."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.rules.describe.words import LANGUAGES
from muster.team.errors import SetupDone, SetupTokenInvalid, TokenUnknown, ValueNotAllowed
from muster.team.hooks import Organisation, organisation_saved
from muster.team.models import ApiToken, Member, Role, SetupLink
from muster.team.names import clean_name
from muster.team.policies import Principal, check_scope, member_principal
from muster.team.queries import TOKEN_PREFIX, TokenView, has_owner, token_view
from muster.team.secrets import new_secret, secret_hash
from muster.team.terms import SCOPES

SETUP_LINK_HOURS = 24
# `last_used_at` is for people who look for forgotten tokens: a write per request would buy nothing.
_LAST_USED_STEP = timedelta(minutes=5)


def create_setup_link() -> str:
    """The token of a new link; earlier links stop working. SetupDone if there is an owner."""
    secret = new_secret()
    now = system_clock()
    with transaction.atomic():
        if has_owner():
            raise SetupDone
        SetupLink.objects.all().delete()
        expires_at = now + timedelta(hours=SETUP_LINK_HOURS)
        SetupLink.objects.create(secret_hash=secret_hash(secret), created_at=now, expires_at=expires_at)
    return secret


def check_setup_token(token: str) -> None:
    """SetupDone or SetupTokenInvalid unless the link can be used now."""
    if has_owner():
        raise SetupDone
    usable = SetupLink.objects.filter(secret_hash=secret_hash(token), used_at=None, expires_at__gt=system_clock())
    if not usable.exists():
        raise SetupTokenInvalid


def set_up(token: str, email: str, password: str, organisation: Organisation) -> Member:
    """Uses the link: the first owner and the publisher's settings, together or not at all.

    Raises SetupDone, SetupTokenInvalid, or ValueNotAllowed with a pointer to the field.
    """
    with transaction.atomic():
        check_setup_token(token)
        member = create_owner(email, password, organisation)
        SetupLink.objects.filter(secret_hash=secret_hash(token)).update(used_at=system_clock())
    return member


def create_owner(email: str, password: str, organisation: Organisation) -> Member:
    """The first owner and the publisher's settings. SetupDone, or ValueNotAllowed with a pointer to the field."""
    _check_organisation(organisation)
    email = email.strip()
    check_email(email)
    check_password(password, email)
    with transaction.atomic():
        if has_owner():
            raise SetupDone
        member = Member(
            id=new_id("mem"),
            email=email,
            role=Role.OWNER,
            language=organisation.language,
            time_zone=organisation.time_zone,
            created_at=system_clock(),
        )
        member.set_password(password)
        member.save()
        owner = member_principal(member)
        for listener in organisation_saved:
            listener(owner, organisation)
        record(owner, "installation.set_up", "member", member.id, {"organisation": organisation.name})
    return member


def create_member(actor: Principal, email: str, password: str, role: str, language: str = "") -> Member:
    """Another team member. ScopeMissing, or ValueNotAllowed with a pointer to the field."""
    check_scope(actor, "team:admin")
    email = email.strip()
    check_email(email)
    check_password(password, email)
    if role not in Role.values:
        raise ValueNotAllowed(f"`{role}` is no role; there are {', '.join(Role.values)}.", pointer="/role")
    with transaction.atomic():
        if Member.objects.filter(email__iexact=email).exists():
            raise ValueNotAllowed(_("Somebody logs in with this address already."), code="key_taken", pointer="/email")
        member = Member(id=new_id("mem"), email=email, role=role, language=language, created_at=system_clock())
        member.set_password(password)
        member.save()
        record(actor, "member.create", "member", member.id, {"role": role})
    return member


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
            message = f"`{scope}` is no scope; there are {', '.join(SCOPES)}."
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
            raise TokenUnknown(f"There is no token {token_id}.")
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


def check_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValueNotAllowed(_("This is not an e-mail address."), pointer="/email") from error


def check_password(password: str, email: str) -> None:
    try:
        validate_password(password, Member(email=email))
    except ValidationError as error:
        raise ValueNotAllowed(" ".join(error.messages), pointer="/password") from error


def _check_organisation(organisation: Organisation) -> None:
    if not 1 <= len(organisation.name.strip()) <= 200:
        raise ValueNotAllowed("The organisation needs a name of 1 to 200 characters.", pointer="/organisation")
    if organisation.language not in LANGUAGES:
        raise ValueNotAllowed(f"The language is one of {', '.join(LANGUAGES)}.", pointer="/language")
    if organisation.time_zone not in available_timezones():
        raise ValueNotAllowed(f"`{organisation.time_zone}` is no time zone of IANA.", pointer="/time_zone")
    if not (len(organisation.currency) == 3 and organisation.currency.isascii() and organisation.currency.isupper()):
        raise ValueNotAllowed("The currency is a code of ISO 4217 such as EUR.", pointer="/currency")
