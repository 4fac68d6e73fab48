"""The words of webhooks: states of deliveries, why one failed, why a webhook was switched off."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class State(StrEnum):
    """Of a delivery."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    GIVEN_UP = "given_up"


OPEN = (State.WAITING, State.FAILED)
"""It is sent, or sent again, when its time comes."""


class Disabled(StrEnum):
    """Why Muster switched a webhook off; nothing if somebody did, or nobody."""

    NOT = ""
    GONE = "gone"
    FAILING = "failing"
    BACKLOG = "backlog"
    SEALED = "sealed"


TEST = "webhook.test"
"""The event that is sent on request, to see whether it arrives."""
TEST_TEXT = _("Test event")

BODY_BYTES = 20_000
"""Bodies stay below this (Standard Webhooks 1.0 advises 20 KB)."""
MOST_WEBHOOKS = 50
MOST_WAITING = 100_000
"""More than so many deliveries wait for nobody: the webhook is switched off."""
TWO_SECRETS = timedelta(hours=24)
"""So long both are signed with after an exchange."""
KEPT = timedelta(days=30)
"""So long deliveries with their attempts are kept after they were made."""

STATE_TEXTS: dict[str, Promise] = {
    State.WAITING: _("Waiting"),
    State.SENT: _("Sent"),
    State.FAILED: _("Failed"),
    State.GIVEN_UP: _("Given up"),
}
DISABLED_TEXTS: dict[str, Promise] = {
    Disabled.GONE: _("Switched off: the receiver answered that it is gone (410)."),
    Disabled.FAILING: _("Switched off: the receiver took nothing for five days."),
    Disabled.BACKLOG: _("Switched off: more than 100,000 deliveries were waiting."),
    Disabled.SEALED: _("Switched off: its secret cannot be read any more. Exchange it."),
}
FAILURE_TEXTS: dict[str, Promise] = {
    "address_refused": _("The name leads to an address that Muster does not send to."),
    "answer_unreadable": _("What was answered is no HTTP."),
    "connection_failed": _("Nobody took the connection."),
    "connection_lost": _("The connection broke before anything was answered."),
    "gone": _("The receiver answered that it is gone."),
    "name_unresolved": _("The name leads nowhere."),
    "not_accepted": _("The receiver did not accept it."),
    "redirected": _("The receiver answered with a redirect, which is not followed."),
    "send_failed": _("Something went wrong inside Muster; its log says more."),
    "timeout": _("Nothing was answered within 15 seconds."),
    "tls_failed": _("The certificate is not valid for the name, or TLS failed."),
    "disabled": _("The webhook was switched off before it could be sent."),
    "erased": _("It was about somebody who was erased."),
}
