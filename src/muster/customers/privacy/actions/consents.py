"""What a person allows, told by people and programs (C-12, C-13)."""

from __future__ import annotations

from datetime import datetime, timedelta

from muster.audit.actions import record
from muster.catalog.queries import warehouse_catalog
from muster.customers.actions.facts import announce_change
from muster.customers.errors import PrivacyError
from muster.customers.queries import customer, warehouse
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.warehouse.duckdb.consents import ConsentEntry
from muster.warehouse.messages.consents import CHANNELS, PURPOSES

_MOST_AHEAD = timedelta(seconds=60)


def put_consent(
    actor: Principal,
    reference: str,
    purpose: str,
    *,
    granted: bool,
    channel: str | None = None,
    text_version: str | None = None,
    happened_at: datetime | None = None,
) -> str:
    """Adds to the log; groups follow within one refresh. Answers the customer's id."""
    now = system_clock()
    if purpose not in PURPOSES:
        raise PrivacyError(
            worded(
                "The purpose is one of {purposes}, not {purpose}.",
                purposes=", ".join(PURPOSES),
                purpose=f"{purpose!r:.80}",
            ),
            pointer="/purpose",
        )
    if channel is not None and (purpose != "marketing" or channel not in CHANNELS):
        raise PrivacyError(
            worded("Only marketing has channels, and they are {channels}.", channels=", ".join(CHANNELS)),
            pointer="/channel",
        )
    if happened_at is not None and (happened_at.tzinfo is None or happened_at > now + _MOST_AHEAD):
        raise PrivacyError("`happened_at` is an instant of the past with its zone.", pointer="/happened_at")
    key = customer(reference).customer_key
    entry = ConsentEntry(key, purpose, granted, happened_at or now, channel, text_version)
    touched = warehouse().put_consents([entry], warehouse_catalog())
    details = {"purpose": purpose, "channel": channel, "granted": granted}
    record(actor, "customer.consent", "customer", customer_id(key), details)
    announce_change(touched)
    return customer_id(key)
