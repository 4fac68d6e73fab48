"""The facts of one customer in plain Python: acquisitions, holdings, each app's row, the profile (sections 4, 5)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from muster.engine.reference.identity import Customer
from muster.engine.reference.orders import Order
from muster.engine.reference.usage import (
    Session,
    is_activity,
    is_listing,
    number_of,
    place,
    property_of,
    source_of,
)
from muster.kernel.civil import day_code, local_day
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Scope, Type
from muster.warehouse.catalog import AddOnKind, Catalog, Trust
from muster.warehouse.items import Item, flat_traits
from muster.warehouse.normal.languages import language_tag
from muster.warehouse.normal.traits import OLDEST_AGE, STANDARD_TRAITS, normal_trait
from muster.warehouse.normal.values import attribute_value, property_value, text_of
from muster.warehouse.normal.zones import zone_name
from muster.warehouse.port import Holding

Facts = dict[str, Any]
_MOST_MICROS = 2**63 - 1
_MOST_MINUTES = 2**31 - 1


@dataclass(frozen=True)
class Known:
    """What one customer did, of every app."""

    items: list[Item]
    orders: list[Order]
    sessions: list[Session]
    acquisitions: list[Acquisition]

    def apps(self) -> list[int]:
        """Apps the customer is known to."""
        by_item = {item.app for item in self.items if item.app}
        return sorted(by_item | {o.app for o in self.orders if o.counts} | {a.app for a in self.acquisitions})


@dataclass(frozen=True)
class Acquisition:
    """`addon` None: of the app itself."""

    app: int
    addon: str | None
    happened_at: datetime
    hash: bytes
    explicit: bool
    acquisition_type: str | None = None
    refunded: bool = False
    order_id: str | None = None


def acquisitions_of(items: Iterable[Item], orders: Iterable[Order], catalog: Catalog) -> list[Acquisition]:
    found = [_said(item, catalog) for item in items if item.event and item.app and _trusted(item, catalog)]
    return [one for one in found if one is not None] + [
        one for order in orders if order.sells for one in _sold(order, catalog)
    ]


def _said(item: Item, catalog: Catalog) -> Acquisition | None:
    event = item.event.event if item.event else None
    if event == number_of("app_acquired"):
        word = text_of(property_of(item, "acquisition_type"))
        word = word.strip(" ").lower().replace(" ", "_") if word else None
        amount = property_value(property_of(item, "amount"), Type.NUMBER)
        if not word:
            word = "paid" if isinstance(amount, float) and amount > 0 else "free"
        elif word not in STANDARD_ATTRIBUTES["acquisition_type"].values:
            word = "other"
        return Acquisition(item.app, None, item.happened_at, item.hash, True, word)
    if event == number_of("addon_acquired"):
        addon = _addon_named(item, catalog)
        return Acquisition(item.app, addon, item.happened_at, item.hash, True) if addon is not None else None
    return None


def _sold(order: Order, catalog: Catalog) -> Iterable[Acquisition]:
    for line in order.lines:
        if line.product_id is None:
            continue
        amount = line.price_micros if line.price_micros is not None else order.amount_micros
        kind = "paid" if (amount or 0) > 0 else "promo_code" if order.coupon else "free"
        refunded = order.refunded_fully or line.product_id in order.returned
        for app in catalog.apps.values():
            if line.product_id in app.store_ids:
                yield Acquisition(
                    app.number, None, order.happened_at, order.hash, False, kind, refunded, order.order_id
                )
        for addon in catalog.addons:
            if catalog.apps[addon.app].number == order.app and line.product_id in (addon.product_id, *addon.skus):
                yield Acquisition(
                    order.app, addon.product_id, order.happened_at, order.hash, False, kind, refunded, order.order_id
                )


def _addon_named(item: Item, catalog: Catalog) -> str | None:
    text = text_of(property_of(item, "addon"))
    for addon in catalog.addons:
        if catalog.apps[addon.app].number == item.app and text in (addon.product_id, *addon.skus):
            return addon.product_id
    return text


def _trusted(item: Item, catalog: Catalog) -> bool:
    return all(item.trust >= app.commerce_trust for app in catalog.apps.values() if app.number == item.app)


def holdings_of(known: Known, catalog: Catalog) -> tuple[Holding, ...]:
    held: list[Holding] = []
    for addon in catalog.addons:
        app = catalog.apps[addon.app].number
        mine = [a for a in known.acquisitions if a.app == app and a.addon == addon.product_id and not a.refunded]
        if addon.kind is AddOnKind.DURABLE and mine:
            held.append(Holding(addon.app, addon.product_id, None))
        words = [
            item
            for item in known.items
            if item.event
            and item.app == app
            and item.event.event in map(number_of, _SUBSCRIPTION_EVENTS)
            and _addon_named(item, catalog) == addon.product_id
            and _trusted(item, catalog)
        ]
        if addon.kind is AddOnKind.SUBSCRIPTION and words:
            held.append(Holding(addon.app, addon.product_id, _expiry(max(words, key=place))))
    return tuple(sorted(held, key=lambda holding: (catalog.apps[holding.app].number, holding.addon)))


_SUBSCRIPTION_EVENTS = ("addon_acquired", "subscription_started", "subscription_renewed", "subscription_ended")


def _expiry(item: Item) -> datetime | None:
    expires_at = property_value(property_of(item, "expires_at"), Type.TIMESTAMP)
    if isinstance(expires_at, datetime):
        return expires_at
    ended = item.event is not None and item.event.event == number_of("subscription_ended")
    return item.happened_at if ended else None


def app_facts_of(app: int, known: Known, catalog: Catalog) -> Facts:
    settings = next((a for a in catalog.apps.values() if a.number == app), None)
    mine = [item for item in known.items if item.app == app]
    used = [item.happened_at for item in mine if is_activity(item, catalog, settings)]
    got = [a for a in known.acquisitions if a.app == app and a.addon is None]
    sold = [order for order in known.orders if order.app == app]
    starts = [a.happened_at for a in got] + used + [order.happened_at for order in sold if order.sells]
    acquired_at = min(starts, default=None)
    newest = max(got, key=lambda a: (a.explicit, a.happened_at, a.hash, a.acquisition_type), default=None)
    acquisition_type = (newest.acquisition_type if newest else None) or "free"
    source = source_of(mine, acquired_at, settings)
    visits = [session for session in known.sessions if session.app == app]
    ratings = [(place(item), stars) for item in mine if (stars := _stars(item)) is not None]
    return {
        "acquired_at": acquired_at,
        "acquisition_type": acquisition_type if acquired_at else None,
        "addon_acquired_at": max(
            (a.happened_at for a in known.acquisitions if a.app == app and a.addon is not None), default=None
        ),
        "campaign_id": source.campaign_id,
        "referrer_domain": source.referrer_domain,
        "page_viewed_at": max((item.happened_at for item in mine if is_listing(item, settings)), default=None),
        "channel_type": source.channel_type,
        "first_used_at": min(used, default=None),
        "last_used_at": max(used, default=None),
        "session_count": len(visits) or None,
        "engagement_minutes": min(sum(one.engaged_seconds for one in visits) // 60, _MOST_MINUTES) if visits else None,
        "rating": max(ratings)[1] if ratings else None,
        "rated_at": max(ratings)[0][0] if ratings else None,
        "app_spend_micros": _spend(sold),
        "churn_predicted": None,
        "churn_probability": None,
        **_customs(mine, Scope.APP, catalog),
    }


def _stars(item: Item) -> float | None:
    if item.event is None or item.event.event != number_of("app_rated"):
        return None
    stars = attribute_value(property_of(item, "rating"), Type.NUMBER)
    return stars if isinstance(stars, float) and 1 <= stars <= 5 else None


def _spend(orders: list[Order]) -> int | None:
    """Net of refunds, up to what 64 bits hold; None if no order counts yet."""
    nets = [
        order.base_micros - order.refunded_base_micros
        for order in orders
        if order.counts and order.base_micros is not None and order.refunded_base_micros is not None
    ]
    return _at_most(sum(nets)) if nets else None


def _spend_of_all(orders: list[Order]) -> int | None:
    """That of all apps together."""
    spent = [_spend([order for order in orders if order.app == app]) for app in sorted({one.app for one in orders})]
    told = [one for one in spent if one is not None]
    return _at_most(sum(told)) if told else None


def _at_most(micros: int) -> int:
    return max(min(micros, _MOST_MICROS), -_MOST_MICROS)


def profile_of(customer: Customer, known: Known, app_count: int, catalog: Catalog) -> Facts:
    """`app_count`: apps the customer acquired."""
    traits = _newest_traits(customer.items, catalog)
    counted = [order for order in known.orders if order.counts]
    bought = [order.happened_at for order in counted if order.is_purchase]
    markets = [(order.happened_at, order.hash, order.market) for order in counted if order.market]
    counted_acquisitions = app_count + _addon_count(known.acquisitions, catalog)
    created_at = traits.get("created_at")
    return {
        "subject": customer.subject,
        "first_seen_at": min((item.happened_at for item in customer.items), default=None),
        "last_seen_at": max((item.happened_at for item in customer.items), default=None),
        "birth_code": _birth_code(customer.items, traits, catalog),
        "gender": traits.get("gender"),
        "country": traits.get("country") or (max(markets)[2] if markets else None),
        "language": traits.get("language") or _newest_of_device(customer.items, "locale"),
        "time_zone": traits.get("time_zone") or _newest_of_device(customer.items, "time_zone"),
        "name": traits.get("name"),
        "first_name": traits.get("first_name"),
        "last_name": traits.get("last_name"),
        "phone": traits.get("phone"),
        "created_at": datetime.fromisoformat(created_at) if created_at else None,
        "profiling_denied": _denied(customer.items, catalog),
        "purchase_count": len(bought) if counted else None,
        "first_purchase_at": min(bought, default=None),
        "last_purchase_at": max(bought, default=None),
        "store_spend_micros": _spend_of_all(known.orders),
        "acquisition_count": counted_acquisitions or None,
        **_customs(customer.items, Scope.CUSTOMER, catalog),
    }


def birthday_of(items: list[Item], catalog: Catalog) -> date | None:
    birthday = _newest_traits(items, catalog).get("birthday")
    return date.fromisoformat(birthday) if birthday else None


def _newest_traits(items: list[Item], catalog: Catalog) -> Facts:
    """Standard traits in normal form, the newest that could be taken; removed ones are None."""
    newest: Facts = {}
    for item in sorted(items, key=place):
        for attribute, sent in flat_traits(item.traits).items():
            if attribute not in STANDARD_TRAITS:
                continue
            if item.trust < catalog.standard_accept_from.get(attribute, Trust.OPEN):
                continue
            taken = normal_trait(attribute, json.dumps(sent))
            if taken.value is None:
                continue
            value = json.loads(taken.value)
            if attribute == "birthday" and value is not None:
                age = (day_code(item.happened_at.date()) - day_code(date.fromisoformat(value))) / 10_000
                if not 0 <= age < OLDEST_AGE + 1:
                    continue
            newest[attribute] = value
    return newest


def _birth_code(items: list[Item], traits: Facts, catalog: Catalog) -> int | None:
    if traits.get("birthday"):
        return day_code(date.fromisoformat(traits["birthday"]))
    if traits.get("age") is None:
        return None
    said = [item for item in items if _says_age(item, catalog)]
    sent = local_day(max(said, key=place).happened_at, ZoneInfo(catalog.zone))
    return day_code(sent) - 10_000 * int(traits["age"])


def _says_age(item: Item, catalog: Catalog) -> bool:
    traits = flat_traits(item.traits)
    trusted = item.trust >= catalog.standard_accept_from.get("age", Trust.OPEN)
    return "age" in traits and trusted and normal_trait("age", json.dumps(traits["age"])).value is not None


def _customs(items: list[Item], scope: Scope, catalog: Catalog) -> Facts:
    values: Facts = {}
    for attribute in catalog.attributes.values():
        if attribute.scope is not scope:
            continue
        values[attribute.key] = None
        for item in sorted(items, key=place):
            traits = flat_traits(item.traits)
            if attribute.key in traits and item.trust >= attribute.accept_from:
                sent = traits[attribute.key]
                typed = attribute_value(sent, attribute.type)
                if sent is None or typed is not None:
                    values[attribute.key] = typed
                    if attribute.type is Type.MONEY and isinstance(typed, int):
                        values[attribute.key] = Decimal(typed).scaleb(-6)
    return values


def _newest_of_device(items: list[Item], column: str) -> str | None:
    read = language_tag if column == "locale" else zone_name
    told = [
        (place(item), known)
        for item in items
        if item.app and item.device and (sent := getattr(item.device, column)) and (known := read(sent))
    ]
    return max(told)[1] if told else None


def _denied(items: list[Item], catalog: Catalog) -> bool:
    words = [
        (place(item), not consent.granted)
        for item in items
        for consent in item.consents
        if consent.purpose == "profiling"
    ]
    return max(words)[1] if words else not catalog.profiling_unset


def _addon_count(acquisitions: list[Acquisition], catalog: Catalog) -> int:
    """Each repeat of a consumable counts; another acquisition of what is owned does not."""
    consumables = {
        (catalog.apps[addon.app].number, addon.product_id)
        for addon in catalog.addons
        if addon.kind is AddOnKind.CONSUMABLE
    }
    times = Counter((a.app, a.addon) for a in acquisitions if a.addon is not None)
    return sum(count if addon in consumables else 1 for addon, count in times.items())


def addresses_of(items: list[Item]) -> list[tuple[Item, str, bool]]:
    """Every address an item carries, and whether that verifies it (C-10)."""
    found = [(item, email.address, email.verified) for item in items for email in item.emails]
    found += [(item, text, False) for item in items if isinstance(text := flat_traits(item.traits).get("email"), str)]
    return [(item, address.strip(" "), sure or item.trust == Trust.SERVER) for item, address, sure in found]
