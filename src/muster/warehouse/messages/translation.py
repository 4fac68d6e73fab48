"""From a message of a tracking library to an item of the warehouse: what it means (C-2, C-8 to C-25)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from muster.kernel.text import key_of
from muster.warehouse.catalog import App, Catalog, Trust
from muster.warehouse.items import Consent, Item, Occurrence, OrderEntry
from muster.warehouse.messages.checks import Message, id_of
from muster.warehouse.messages.consents import KIND as CONSENT
from muster.warehouse.messages.consents import STATES
from muster.warehouse.messages.devices import device_of
from muster.warehouse.messages.envelope import Envelope, happened_at, hash_of
from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.kept import kept_text
from muster.warehouse.messages.orders import ORDER_EVENTS, order_of
from muster.warehouse.messages.words import KNOWN_TRAITS, event_name, traits_of

_PAGE_FACTS = ("url", "referrer", "path", "title")
_CAMPAIGN_FACTS = ("id", "name", "source")
_CONSENTS = ("profiling", "offers")


@dataclass(frozen=True)
class Received:
    """One message of a request, read and checked: `index` is its place in it, `raw` its JSON text."""

    message: Message
    raw: bytes
    envelope: Envelope
    index: int = 0

    @property
    def context(self) -> dict[str, Any]:
        return self.envelope.context_of(self.message)


def item_of(received: Received, catalog: Catalog) -> Item:
    """The item it says; its event and traits must be in the catalog. `MessageRefused` with the verdict."""
    message, envelope = received.message, received.envelope
    app = catalog.apps.get(catalog.app_keys.get(envelope.app, ""))
    identity = hash_of(message, received.raw, envelope, received.index)
    event, order = _event(received, catalog, app, identity)
    anonymous_id = id_of(message.get("anonymousId"))
    return Item(
        hash=identity,
        happened_at=happened_at(message, envelope),
        app=envelope.app,
        external_id=id_of(message.get("userId")),
        anonymous_id=anonymous_id,
        previous_id=id_of(message.get("previousId")) if message["type"] == "alias" else None,
        trust=envelope.trust_of(message),
        source=envelope.source,
        traits=_traits(received, catalog, app),
        event=event,
        order=order,
        consents=_consents(received),
        device=device_of(received.context, anonymous_id),
        body=kept_text(received.raw),
        place=envelope.place,
        nth=received.index,
    )


def refused_item(raw: bytes, envelope: Envelope, index: int, code: str) -> Item:
    """What was not taken, with its verdict, to be looked at and replayed."""
    return Item(
        hash=hash_of({}, raw, envelope, index),
        happened_at=envelope.received_at,
        app=envelope.app,
        trust=envelope.trust,
        source=envelope.source,
        body=kept_text(raw),
        verdict=code,
        place=envelope.place,
        nth=index,
    )


def _traits(received: Received, catalog: Catalog, app: App | None) -> dict[str, Any]:
    """What the catalog has no room for is left out; the rest of the item counts (C-4)."""
    said = traits_of(received.message, received.context)
    unknown = [key for key in said if key not in KNOWN_TRAITS and key not in catalog.attributes]
    if unknown and app is not None and app.strict:
        raise MessageRefused(f"The catalog has no attribute `{unknown[0]}`.", code="unknown_attribute")
    return {key: value for key, value in said.items() if key not in unknown}


def _consents(received: Received) -> tuple[Consent, ...]:
    """What a customer said of themselves; or `context.consents`, from a server only: what an app says of whoever it
    likes is no consent (C-13)."""
    message = received.message
    if message["type"] == CONSENT:
        return (
            Consent(message["purpose"], STATES[message["state"]], message.get("channel"), message.get("textVersion")),
        )
    said = received.context.get("consents")
    if received.envelope.trust is not Trust.SERVER or not isinstance(said, list):
        return ()
    return tuple(
        Consent(one["purpose"], one["granted"])
        for one in said
        if isinstance(one, dict) and one.get("purpose") in _CONSENTS and isinstance(one.get("granted"), bool)
    )


def _event(
    received: Received, catalog: Catalog, app: App | None, identity: bytes
) -> tuple[Occurrence | None, OrderEntry | None]:
    name = event_name(received.message)
    if name is None:
        return None, None
    if not catalog.knows_event(name):
        raise MessageRefused(f"The catalog has no event `{name}`.", code=_reason_for(name, app))
    kind = catalog.event_named(name)
    properties = _properties(received)
    if kind.key in ORDER_EVENTS:
        basis = app.spend_basis if app is not None else "revenue"
        return None, order_of(ORDER_EVENTS[kind.key], properties, basis, identity.hex()[:20])
    return Occurrence(kind.number, properties, active=_is_active(received)), None


def _reason_for(name: str, app: App | None) -> str:
    """Words that are not strange are in the catalog by now, unless it is full (C-2, C-4)."""
    if app is not None and app.strict:
        return "unknown_event"
    return "event_limit" if key_of(name) else "not_a_name"


def _properties(received: Received) -> dict[str, Any]:
    """As they were sent, with what the context says of page and campaign where they say nothing of it."""
    message, context = received.message, received.context
    if message["type"] == "group":
        traits = message.get("traits")
        said = {**(traits if isinstance(traits, dict) else {}), "account_id": message.get("groupId")}
    else:
        sent = message.get("properties")
        said = dict(sent) if isinstance(sent, dict) else {}
    if message["type"] in ("page", "screen"):
        said = {**{key: message[key] for key in ("name", "category") if message.get(key) is not None}, **said}
    page, campaign = context.get("page"), context.get("campaign")
    if isinstance(page, dict):
        said = {**{key: page[key] for key in _PAGE_FACTS if page.get(key) is not None}, **said}
    if isinstance(campaign, dict) and "campaign" not in said:
        told = {key: campaign[key] for key in _CAMPAIGN_FACTS if campaign.get(key) is not None}
        said |= {"campaign": told} if told else {}
    return said


def _is_active(received: Received) -> bool:
    """C-22: a server that says something of a customer does not mean that they are there."""
    said = received.context.get("active")
    if isinstance(said, bool):
        return said
    return received.envelope.trust is not Trust.SERVER
