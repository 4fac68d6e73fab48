"""What verdicts on what apps send mean, and what mends their cause, in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Remedy:
    """`page`: the name of an address of the app's where it is mended, with what its link is called. `replays`: what was
    refused is taken once that is done; otherwise it says what it says."""

    text: str | Promise
    page: str = ""
    link: str | Promise = ""
    replays: bool = True


@dataclass(frozen=True)
class Meaning:
    reason: str | Promise
    remedy: Remedy


_APP = Remedy(_("Mend what the app sends. What it sent already stays as it is."), replays=False)
_EVENT = Remedy(_("Declare the event, then replay."), "catalog:new_event", _("New event"))
_ATTRIBUTE = Remedy(_("Declare the attribute, then replay."), "catalog:new_attribute", _("New attribute"))
_ROOM = Remedy(_("Take out what nobody uses, then replay."), "catalog:words", _("Events and attributes"))
_TOKEN = Remedy(_("Send it with a customer token; or let the app say who somebody is, then replay."))
_SERVER = Remedy(_("Let your server say it."), replays=False)
_LOG = Remedy(_("Look at the log of the server, mend the cause, then replay."))
_NOTHING = Remedy(_("Nothing is to be done."), replays=False)

MEANINGS = {
    "invalid_json": Meaning(_("The body was not JSON; its beginning is kept."), _APP),
    "batch_missing": Meaning(_("The body had no list of messages; its beginning is kept."), _APP),
    "item_invalid": Meaning(_("It is no JSON object, or holds a number that is none."), _APP),
    "item_too_large": Meaning(_("It is larger than 64 KiB."), _APP),
    "too_deep": Meaning(_("It is more than 32 levels deep."), _APP),
    "type_unknown": Meaning(_("It is of no type that is known."), _APP),
    "identity_missing": Meaning(_("It does not say whom it is about."), _APP),
    "identity_placeholder": Meaning(_("Its id is a placeholder such as “null” or “guest”."), _APP),
    "event_missing": Meaning(_("It does not say what happened."), _APP),
    "previous_id_missing": Meaning(_("It does not say whose id becomes another’s."), _APP),
    "order_id_missing": Meaning(_("It does not say of which order it tells."), _APP),
    "timestamp_invalid": Meaning(_("A time in it is none."), _APP),
    "timestamp_implausible": Meaning(_("It is said to have happened before 1970."), _APP),
    "not_a_name": Meaning(_("The name of the event has neither a letter nor a digit."), _APP),
    "consent_invalid": Meaning(_("It names no purpose, state or channel that is known."), _APP),
    "unknown_event": Meaning(_("The app takes only events that are declared, and this one is not."), _EVENT),
    "unknown_attribute": Meaning(
        _("The app takes only attributes that are declared, and one in it is not."), _ATTRIBUTE
    ),
    "event_limit": Meaning(_("It brings a new event, and there are as many as there may be."), _ROOM),
    "signed_customer_required": Meaning(
        _("It says it is about a known customer, and the app must prove that."), _TOKEN
    ),
    "merge_not_allowed": Meaning(_("It would make two known customers one; only a server may."), _SERVER),
    "drain_failed": Meaning(_("It could not be taken in, for a reason that is in the log."), _LOG),
    "gpc": Meaning(_("The visitor’s browser asks not to be tracked."), _NOTHING),
    "erased": Meaning(_("It is about somebody who was erased, from before."), _NOTHING),
}
_UNKNOWN = Remedy(_("Mend the cause, then replay."))


def meaning_of(code: str) -> Meaning:
    """A verdict without words stands for itself."""
    return MEANINGS.get(code, Meaning(code, _UNKNOWN))
