"""What the team's room can refuse.

MusterError
  TeamError
    ScopeMissing         who asks may not do this; says which scope is needed and who grants it
    SetupDone            the installation has an owner already
    SetupTokenInvalid    a set-up link that is used, too old or made up
    TokenUnknown         no such API token
    InvitationInvalid    an invitation that is used, revoked, too old or made up
    PasswordLinkInvalid  a link for a new password that is used, replaced, too old or made up
    MemberUnknown        no such team member
    InvitationUnknown    no such invitation
    LastOwner            what would leave the installation without an owner
    MemberInactive       somebody who was a member and is not let in any more
    ProviderRefused      who logs in elsewhere is no member here
    ProviderFailed       the log-in elsewhere came to nothing
    ValueNotAllowed      a name, scope, address or password that cannot be taken
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from muster.kernel.errors import MusterError


class TeamError(MusterError):
    code = "team_error"


class ScopeMissing(TeamError):
    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        sentence = _("Needs permission %(scope)s; an owner can grant it.") % {"scope": scope}
        super().__init__(sentence, details={"scope": scope})
        self.scope = scope


class SetupDone(TeamError):
    code = "setup_done"

    def __init__(self) -> None:
        super().__init__(_("Set-up is already done. Log in, or ask an owner for access."))


class SetupTokenInvalid(TeamError):
    code = "setup_token_invalid"

    def __init__(self) -> None:
        super().__init__(_("This link is used or expired; run `muster setup` to get another."))


class TokenUnknown(TeamError):
    code = "token_unknown"


class InvitationInvalid(TeamError):
    code = "invitation_invalid"

    def __init__(self) -> None:
        super().__init__(_("This invitation is used, revoked or expired; ask an owner for another."))


class PasswordLinkInvalid(TeamError):
    code = "password_link_invalid"

    def __init__(self) -> None:
        super().__init__(_("This link is used, replaced or expired; ask an owner for another."))


class MemberUnknown(TeamError):
    code = "member_unknown"

    def __init__(self, member_id: str) -> None:
        super().__init__(_("There is no team member %(id)s.") % {"id": member_id})


class InvitationUnknown(TeamError):
    code = "invitation_unknown"

    def __init__(self, invitation_id: str) -> None:
        super().__init__(_("There is no invitation %(id)s.") % {"id": invitation_id})


class LastOwner(TeamError):
    code = "last_owner"

    def __init__(self) -> None:
        super().__init__(_("This is the last owner. Make somebody else an owner first."))


class MemberInactive(TeamError):
    code = "member_inactive"

    def __init__(self) -> None:
        super().__init__(_("This account is deactivated. Ask an owner to reactivate it."))


class ProviderRefused(TeamError):
    code = "provider_refused"

    def __init__(self) -> None:
        super().__init__(
            _("No member has the verified e-mail address of this account. Ask an owner for an invitation to it.")
        )


class ProviderFailed(TeamError):
    code = "provider_failed"

    def __init__(self, name: str) -> None:
        super().__init__(
            _("%(name)s did not confirm who you are. Try again, or log in with your password.") % {"name": name}
        )


class ValueNotAllowed(TeamError):
    code = "value_not_allowed"
