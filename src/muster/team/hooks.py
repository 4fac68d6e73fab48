"""What upper rooms want to know about set-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Organisation:
    """What the set-up form asks about the publisher: IANA zone, ISO 4217 currency, language `en`, `de` or `fr`."""

    name: str
    language: str
    time_zone: str
    currency: str


# What the publisher's settings say before anybody set the installation up: the sample, for one, has a currency.
# Catalog gives it.
organisation_now: list[Callable[[], Organisation]] = []

# The name of the page that follows set-up; the Overview without one.
after_setup: list[str] = []

# Called inside the transaction that makes the owner: what one of them refuses, nobody keeps. The first argument is
# the owner as an actor of the audit trail.
organisation_saved: list[Callable[[Any, Organisation], None]] = []
