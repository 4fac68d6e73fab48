"""Who may do what: every door asks here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from muster.team.errors import ScopeMissing
from muster.team.models import Member
from muster.team.terms import EVERY_SCOPE


@dataclass(frozen=True)
class Principal:
    """Who asks. `label` is what the audit trail and people read; `id` is unique within its kind."""

    kind: Literal["member", "token", "local"]
    id: str
    label: str
    scopes: frozenset[str]


# Whoever may open the installation's own socket may read its files anyway.
LOCAL = Principal("local", "local", "command line", EVERY_SCOPE)


def member_principal(member: Member) -> Principal:
    return Principal("member", member.id, member.email, member.scopes)


def can(principal: Principal, scope: str) -> bool:
    return scope in principal.scopes


def check_scope(principal: Principal, scope: str) -> None:
    """ScopeMissing (403) with the sentence that pages show beside what is not permitted (D-42)."""
    if not can(principal, scope):
        raise ScopeMissing(scope)
