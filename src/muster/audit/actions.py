"""Notes what was done; called by the action that does it, inside its transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from muster.audit.models import AuditEntry
from muster.kernel.clock import system_clock


class Actor(Protocol):
    """Who did it; `team.policies.Principal` is one."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...


def record(actor: Actor, action: str, thing_kind: str, thing_id: str, details: Mapping[str, Any] | None = None) -> None:
    """`action`: thing and verb such as `group.archive`; `details`: a JSON object without secrets."""
    AuditEntry.objects.create(
        at=system_clock(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        thing_kind=thing_kind,
        thing_id=thing_id,
        details=dict(details or {}),
    )
