"""Set-up of the installation: a link that works once, the first owner, the publisher's settings."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from muster.audit.actions import record
from muster.kernel.civil import time_zones
from muster.kernel.clock import system_clock
from muster.kernel.ids import new_id
from muster.kernel.worded import worded
from muster.rules.describe.words import LANGUAGES
from muster.team.errors import SetupDone, SetupTokenInvalid, ValueNotAllowed
from muster.team.hooks import Organisation, organisation_saved
from muster.team.models import Member, Role, SetupLink, new_secret, secret_hash
from muster.team.policies import check_email, check_password, member_principal
from muster.team.queries import has_owner

SETUP_LINK_HOURS = 24


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


def _check_organisation(organisation: Organisation) -> None:
    if not 1 <= len(organisation.name.strip()) <= 200:
        raise ValueNotAllowed("The organisation needs a name of 1 to 200 characters.", pointer="/organisation")
    if organisation.language not in LANGUAGES:
        raise ValueNotAllowed(
            worded("The language is one of {languages}.", languages=", ".join(LANGUAGES)), pointer="/language"
        )
    if organisation.time_zone not in time_zones():
        raise ValueNotAllowed(
            worded("`{time_zone}` is no time zone of IANA.", time_zone=organisation.time_zone), pointer="/time_zone"
        )
    if not (len(organisation.currency) == 3 and organisation.currency.isascii() and organisation.currency.isupper()):
        raise ValueNotAllowed("The currency is a code of ISO 4217 such as EUR.", pointer="/currency")
