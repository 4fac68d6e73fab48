"""What the team's room can refuse.

MusterError
  TeamError
    ScopeMissing         who asks may not do this; says which scope is needed and who grants it
    SetupDone            the installation has an owner already
    SetupTokenInvalid    a set-up link that is used, too old or made up
    TokenUnknown         no such API token
    ValueNotAllowed      a name, scope, address or password that cannot be taken
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class TeamError(MusterError):
    code = "team_error"


class ScopeMissing(TeamError):
    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"Needs permission {scope}; an owner can grant it.", details={"scope": scope})
        self.scope = scope


class SetupDone(TeamError):
    code = "setup_done"

    def __init__(self) -> None:
        super().__init__("Set-up is already done. Log in, or ask an owner for access.")


class SetupTokenInvalid(TeamError):
    code = "setup_token_invalid"

    def __init__(self) -> None:
        super().__init__("This link is used or expired; run `muster setup` to get another.")


class TokenUnknown(TeamError):
    code = "token_unknown"


class ValueNotAllowed(TeamError):
    code = "value_not_allowed"
