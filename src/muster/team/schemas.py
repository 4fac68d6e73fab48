"""What the team's part of the API reads and answers."""

from __future__ import annotations

from datetime import datetime

from ninja import Schema
from pydantic import ConfigDict


class TokenCreate(Schema):
    model_config = ConfigDict(extra="forbid")

    name: str
    scopes: list[str]


class TokenOut(Schema):
    id: str
    name: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenCreated(TokenOut):
    """`secret` is shown this once."""

    secret: str


class TokenList(Schema):
    items: list[TokenOut]


class PreferencesOut(Schema):
    """How pages are shown. `auto`: as the browser, the organisation or the system says.

    `hidden_columns`: by the key of a table, `groups` for example.
    """

    language: str
    time_zone: str
    theme: str
    density: str
    rows: int
    hidden_columns: dict[str, list[str]]


class PreferencesChange(Schema):
    """What is left out stays as it is, a table that `hidden_columns` does not name too."""

    model_config = ConfigDict(extra="forbid")

    language: str | None = None
    time_zone: str | None = None
    theme: str | None = None
    density: str | None = None
    rows: int | None = None
    hidden_columns: dict[str, list[str]] | None = None


class MeOut(Schema):
    """Who the request is taken for and what it may do. A token has no role, name and preferences."""

    kind: str
    id: str
    label: str
    scopes: list[str]
    role: str | None = None
    name: str | None = None
    preferences: PreferencesOut | None = None


class TeamMemberOut(Schema):
    """`granted` and `withheld`: how the permissions differ from those of the role."""

    id: str
    email: str
    name: str
    role: str
    granted: list[str]
    withheld: list[str]
    second_factor: bool
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime


class TeamMemberList(Schema):
    items: list[TeamMemberOut]


class TeamMemberChange(Schema):
    """What is left out stays as it is. `permissions`: scope and whether they have it."""

    model_config = ConfigDict(extra="forbid")

    role: str | None = None
    permissions: dict[str, bool] | None = None
    is_active: bool | None = None


class InvitationCreate(Schema):
    model_config = ConfigDict(extra="forbid")

    email: str
    role: str


class InvitationOut(Schema):
    id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationOut):
    """`path`: where to open it at the server's address; shown this once."""

    path: str


class InvitationList(Schema):
    items: list[InvitationOut]


class PathOut(Schema):
    """Where to open it at the server's address; shown this once."""

    path: str


class SetupLinkOut(Schema):
    """`path`: where to open it at the server's address; one use, 24 hours."""

    path: str


class OwnerCreate(Schema):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    email: str
    password: str
    organisation: str
    language: str = ""
    time_zone: str = ""
    currency: str = ""


class MemberOut(Schema):
    id: str
    email: str
    role: str
