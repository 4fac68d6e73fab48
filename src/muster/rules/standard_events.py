"""The events every installation knows (customers spec, section 5): their numbers, wire names and typed properties.

Numbers are stored with every event and never change; custom events get numbers from `FIRST_CUSTOM_NUMBER` up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from muster.rules.vocabulary import Event, Type

FIRST_CUSTOM_NUMBER = 256


@dataclass(frozen=True)
class StandardEvent:
    """`is_activity`: whether it is use of the app. `names`: what Segment's libraries call it on the wire."""

    key: str
    number: int
    category: str
    is_activity: bool = False
    names: tuple[str, ...] = ()
    properties: Mapping[str, Type] = field(default_factory=dict)


_ORDER = {"order_id": Type.TEXT, "total": Type.NUMBER, "currency": Type.TEXT, "coupon": Type.TEXT}
_ADDON = {"addon": Type.TEXT, "expires_at": Type.TIMESTAMP}
_PAGE = {"url": Type.TEXT, "referrer": Type.TEXT, "path": Type.TEXT, "title": Type.TEXT}

_ALL = (
    StandardEvent("app_installed", 1, "lifecycle", True, ("Application Installed",), {"version": Type.VERSION}),
    StandardEvent("app_opened", 2, "lifecycle", True, ("Application Opened", "Application Foregrounded")),
    StandardEvent("screen_viewed", 3, "engagement", True, (), {"name": Type.TEXT}),
    StandardEvent("page_viewed", 4, "engagement", True, (), _PAGE),
    StandardEvent(
        "app_updated",
        5,
        "lifecycle",
        True,
        ("Application Updated",),
        {"version": Type.VERSION, "previous_version": Type.VERSION},
    ),
    StandardEvent("app_backgrounded", 6, "lifecycle", True, ("Application Backgrounded",)),
    StandardEvent("app_crashed", 7, "lifecycle", False, ("Application Crashed",)),
    StandardEvent("app_uninstalled", 8, "lifecycle", False, ("Application Uninstalled",)),
    StandardEvent("deep_link_opened", 9, "lifecycle", False, ("Deep Link Opened",), {"url": Type.TEXT}),
    StandardEvent(
        "app_acquired",
        10,
        "commerce",
        False,
        ("App Acquired",),
        {
            "acquisition_type": Type.CATEGORY,
            "amount": Type.NUMBER,
            "currency": Type.TEXT,
            "market": Type.CATEGORY,
            "campaign_id": Type.TEXT,
            "order_name": Type.TEXT,
        },
    ),
    StandardEvent("addon_acquired", 11, "commerce", False, ("Add-on Acquired",), _ADDON),
    StandardEvent("subscription_started", 12, "commerce", False, ("Subscription Started",), _ADDON),
    StandardEvent("subscription_renewed", 13, "commerce", False, ("Subscription Renewed",), _ADDON),
    StandardEvent("subscription_ended", 14, "commerce", False, ("Subscription Ended",), _ADDON),
    StandardEvent("order_completed", 15, "commerce", False, ("Order Completed", "Completed Order"), _ORDER),
    StandardEvent("order_updated", 16, "commerce", False, ("Order Updated",), _ORDER),
    StandardEvent("order_cancelled", 17, "commerce", False, ("Order Cancelled",), _ORDER),
    StandardEvent("order_refunded", 18, "commerce", False, ("Order Refunded",), _ORDER),
    StandardEvent(
        "product_purchased",
        19,
        "commerce",
        False,
        ("Product Purchased",),
        {
            "order_id": Type.TEXT,
            "product_id": Type.TEXT,
            "category": Type.CATEGORY,
            "name": Type.TEXT,
            "price": Type.NUMBER,
            "quantity": Type.NUMBER,
        },
    ),
    StandardEvent("listing_viewed", 20, "engagement", False, ("Listing Viewed",), _PAGE),
    StandardEvent("install_attributed", 21, "lifecycle", False, ("Install Attributed",), {"campaign.id": Type.TEXT}),
    StandardEvent("app_rated", 22, "engagement", False, ("App Rated",), {"rating": Type.NUMBER}),
    StandardEvent(
        "session",
        23,
        "engagement",
        False,
        ("Session",),
        {"started_at": Type.TIMESTAMP, "ended_at": Type.TIMESTAMP, "engaged_seconds": Type.NUMBER},
    ),
    StandardEvent("account_joined", 24, "engagement", False, (), {"account_id": Type.TEXT}),
)

STANDARD_EVENTS = {event.key: event for event in _ALL}


def standard_vocabulary_events() -> dict[str, Event]:
    """The standard events as a definition's vocabulary knows them, by key."""
    return {event.key: Event(event.key, event.number, dict(event.properties)) for event in _ALL}
