"""The words of the room: scopes and roles."""

from __future__ import annotations

SCOPES = (
    "groups:read",
    "groups:write",
    "members:read",
    "customers:read",
    "customers:write",
    "customers:erase",
    "customers:personal",
    "catalog:read",
    "catalog:write",
    "jobs:read",
    "team:admin",
)
EVERY_SCOPE = frozenset(SCOPES)

_VIEWER = frozenset({"groups:read", "customers:read", "catalog:read", "jobs:read"})
_EDITOR = _VIEWER | {"groups:write", "members:read", "customers:write", "customers:personal", "catalog:write"}
# What each role may do; only owners erase people and administer the team.
ROLE_SCOPES: dict[str, frozenset[str]] = {"viewer": _VIEWER, "editor": _EDITOR, "owner": EVERY_SCOPE}
