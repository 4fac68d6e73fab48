"""Use of the apps in plain Python: activity, sessions, touches (C-21, C-22, section 5)."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Type
from muster.warehouse.catalog import App, Catalog
from muster.warehouse.items import Item
from muster.warehouse.normal.links import campaign_in, referrer_host
from muster.warehouse.normal.values import property_value, text_of

SESSION_GAP = timedelta(minutes=30)
LONGEST_ENGAGEMENT = timedelta(minutes=5)
TOUCH_WINDOW = timedelta(hours=24)
OVERRIDE_WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class Session:
    app: int
    device: str | None
    started_at: datetime
    ended_at: datetime
    engaged_seconds: int
    session_id: str | None = None


@dataclass(frozen=True)
class Source:
    campaign_id: str | None = None
    referrer_domain: str | None = None
    channel_type: str | None = None


def number_of(event: str) -> int:
    return STANDARD_EVENTS[event].number


def property_of(item: Item, path: str) -> Any:
    """The property at a dotted path as it was sent; None where there is none."""
    value: Any = dict(item.event.props) if item.event else None
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def text_in(item: Item, path: str) -> str | None:
    """The property's text without spaces around it; None if blank or no text."""
    text = text_of(property_of(item, path))
    return (text.strip(" ") or None) if text is not None else None


def place(item: Item) -> tuple[datetime, bytes]:
    return item.happened_at, item.hash


def device_of(item: Item) -> str | None:
    return item.device.device_id if item.device else item.anonymous_id


def is_listing_page(item: Item, app: App | None) -> bool:
    if item.event is None or item.event.event != number_of("page_viewed"):
        return False
    url = text_in(item, "url")
    return bool(url and app and url.startswith(app.listing_urls))


def is_listing(item: Item, app: App | None) -> bool:
    viewed = item.event is not None and item.event.event == number_of("listing_viewed")
    return viewed or is_listing_page(item, app)


def is_activity(item: Item, catalog: Catalog, app: App | None) -> bool:
    if item.event is None or not item.event.active or not item.app or is_listing_page(item, app):
        return False
    kinds = {event.number: event.is_activity for event in catalog.events.values()}
    return kinds.get(item.event.event, False)


def sessions_of(items: Iterable[Item], catalog: Catalog) -> list[Session]:
    """Sessions of one customer."""
    apps = {app.number: app for app in catalog.apps.values()}
    runs: dict[tuple[int, str | None], list[Item]] = defaultdict(list)
    reported: dict[tuple[int, str], Item] = {}
    for item in sorted(items, key=place):
        app = apps.get(item.app)
        if app is not None and app.sessions_reported:
            if item.event and item.event.event == number_of("session"):
                reported[item.app, text_of(property_of(item, "session_id")) or item.hash.hex()] = item
        elif is_activity(item, catalog, app):
            runs[item.app, device_of(item)].append(item)
    derived = [session for (app, device), run in runs.items() for session in _split(app, device, run)]
    return derived + [_reported(item) for item in reported.values()]


def _split(app: int, device: str | None, run: list[Item]) -> list[Session]:
    """The maximal parts of a run whose gaps are under 30 minutes."""
    parts: list[list[Item]] = []
    for item in run:
        if not parts or item.happened_at - parts[-1][-1].happened_at >= SESSION_GAP:
            parts.append([])
        parts[-1].append(item)
    return [Session(app, device, part[0].happened_at, part[-1].happened_at, _engaged_seconds(part)) for part in parts]


def _engaged_seconds(part: list[Item]) -> int:
    engaged = timedelta()
    for earlier, later in itertools.pairwise(part):
        if earlier.event and earlier.event.event != number_of("app_backgrounded"):
            engaged += min(later.happened_at - earlier.happened_at, LONGEST_ENGAGEMENT)
    return engaged // timedelta(seconds=1)


def _reported(item: Item) -> Session:
    def instant(path: str) -> datetime | None:
        value = property_value(property_of(item, path), Type.TIMESTAMP)
        return value if isinstance(value, datetime) else None

    ended_at = instant("ended_at")
    started_at = instant("started_at") or (min(ended_at, item.happened_at) if ended_at else item.happened_at)
    engaged = property_value(property_of(item, "engaged_seconds"), Type.NUMBER)
    seconds = math.floor(min(max(engaged, 0), 86_400 * 366)) if isinstance(engaged, float) else 0
    ended_at = max(ended_at or item.happened_at, started_at)
    session_id = text_of(property_of(item, "session_id"))
    return Session(item.app, device_of(item), started_at, ended_at, seconds, session_id)


def source_of(items: list[Item], acquired_at: datetime | None, app: App | None) -> Source:
    """Where the acquisition of one app came from; `items` are the customer's in that app."""
    if acquired_at is None:
        return Source()
    touches = [
        item
        for item in sorted(items, key=place)
        if item.event
        and item.event.event in (number_of("page_viewed"), number_of("listing_viewed"))
        and acquired_at - TOUCH_WINDOW <= item.happened_at <= acquired_at
    ]
    campaign, referrer = None, None
    for item in touches:
        if found := _campaign(item):
            campaign, referrer = found, _referrer(item, app)
            break
    else:
        referrer = next((host for item in touches if (host := _referrer(item, app))), None)
    for item in sorted(items, key=place):
        is_word = item.event is not None and item.event.event == number_of("install_attributed")
        if is_word and acquired_at - TOUCH_WINDOW <= item.happened_at <= acquired_at + OVERRIDE_WINDOW:
            campaign = _told(item) or campaign
    if campaign:
        return Source(campaign, referrer, "campaign")
    if referrer:
        return Source(None, referrer, "other")
    return Source(None, None, "store" if any(is_listing(item, app) for item in touches) else None)


def _told(item: Item) -> str | None:
    return text_in(item, "campaign.id") or text_in(item, "campaign.name")


def _campaign(item: Item) -> str | None:
    url = text_in(item, "url")
    return _told(item) or (campaign_in(url) if url else None)


def _referrer(item: Item, app: App | None) -> str | None:
    referrer = text_in(item, "referrer")
    host = referrer_host(referrer) if referrer else None
    if host is None:
        return None
    own = [domain.casefold() for domain in app.own_domains] if app else []
    return None if any(host == domain or host.endswith("." + domain) for domain in own) else host
