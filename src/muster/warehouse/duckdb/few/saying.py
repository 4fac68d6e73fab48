"""What a few taken items say, as raw rows: what `store` makes of many, row by row."""

from __future__ import annotations

import json
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from muster.kernel.civil import day_code
from muster.kernel.versions import is_version, version_key
from muster.rules.standard import DEVICE_FAMILIES
from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.builder import as_json
from muster.warehouse.catalog import Catalog, Trust
from muster.warehouse.duckdb.append import naive
from muster.warehouse.duckdb.few.judging import Judged
from muster.warehouse.items import OrderEntry
from muster.warehouse.normal.countries import country_code
from muster.warehouse.normal.emails import normal_email
from muster.warehouse.normal.languages import language_tag
from muster.warehouse.normal.traits import LONGEST_TEXT_BYTES, OLDEST_AGE, STANDARD_TRAITS, normal_trait
from muster.warehouse.normal.values import text_of
from muster.warehouse.normal.zones import zone_name

Row = dict[str, Any]
_TOO_LONG = "value_too_long"
_PAGES = (STANDARD_EVENTS["page_viewed"].number, STANDARD_EVENTS["listing_viewed"].number)
Devices = Mapping[tuple[int, str], int]
"""Device keys by app and device id."""


class Sayings:
    """Collects the rows by table, each with the columns it has something for; and the warnings by item."""

    def __init__(self, catalog: Catalog, received_at: datetime, devices: Devices) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.warnings: set[tuple[int, str]] = set()
        self._catalog = catalog
        self._received_at = naive(received_at)
        self._devices = devices
        self._accepted_from = {a.key: a.accept_from for a in catalog.attributes.values()}
        self._accepted_from.update(catalog.standard_accept_from)

    def take(self, taken: Iterable[Judged]) -> None:
        listed = list(taken)
        for one in listed:
            self._take(one)
        self._see(listed)
        self._see_devices(listed)

    def _take(self, one: Judged) -> None:
        item = one.item
        if one.has_placeholder:
            self.warnings.add((one.position, "identity_placeholder"))
        self._add("event_ids", hash=one.hash, received_at=self._received_at, source=item.source)
        if item.order:
            self._order(one)
        if one.key is None:
            return
        for attribute, sent in one.traits.items():
            if attribute != "email":
                self._trait(one, attribute, as_json(sent))
        self._emails(one)
        for consent in item.consents:
            self._add(
                "consents",
                **_said(one),
                purpose=consent.purpose,
                channel=consent.channel,
                granted=consent.granted,
                text_version=consent.text_version,
            )
        if item.event:
            self._event(one)

    def _add(self, table: str, **columns: Any) -> None:
        self.rows[table].append(columns)

    def _warn(self, one: Judged, code: str) -> None:
        self.warnings.add((one.position, code))

    def _trait(self, one: Judged, attribute: str, sent: str) -> None:
        value, code = normal_trait(attribute, sent) if attribute in STANDARD_TRAITS else (sent, None)
        code = code or _out_of_range(attribute, value, one.item.happened_at)
        if code is None and value is not None and len(value.encode()) > LONGEST_TEXT_BYTES * 8:
            code = _TOO_LONG
        if code:
            self._warn(one, code)
            return
        if one.item.trust < self._accepted_from.get(attribute, Trust.OPEN):
            self._warn(one, "trust_too_low")
        self._add("traits", **_said(one), app_key=one.item.app, attribute=attribute, value=value)

    def _emails(self, one: Judged) -> None:
        """Those from servers are verified (C-10)."""
        sure = one.item.trust == Trust.SERVER
        said = [(email.address, email.verified) for email in one.item.emails]
        if isinstance(trait := one.traits.get("email"), str):
            said.append((trait, False))
        found: dict[tuple[str, str], bool] = {}
        for address, verified in said:
            spelled = address.strip(" ")
            normal = normal_email(spelled)
            if normal is None:
                self._warn(one, "email_invalid")
                continue
            place = (unicodedata.normalize("NFC", spelled), normal)
            found[place] = found.get(place, False) or verified or sure
        for (address, normal), verified in found.items():
            self._add("emails", **_said(one), address=address, normal=normal, verified=verified)

    def _event(self, one: Judged) -> None:
        item, event = one.item, one.item.event
        assert event is not None
        props = dict(event.props)
        self._add(
            "all_events",
            **_said(one),
            app_key=item.app,
            event=event.event,
            received_at=self._received_at,
            device_key=self._devices.get((item.app, _device_id(one) or "")),
            active=event.active,
            props=as_json(props),
        )
        if event.event in _PAGES:
            self._add(
                "touches",
                **_said(one, trust=False),
                app_key=item.app,
                event=event.event,
                url=_told(props, "url"),
                referrer=_told(props, "referrer"),
                campaign=_told(props, "campaign", "id") or _told(props, "campaign", "name"),
            )

    def _order(self, one: Judged) -> None:
        item, order = one.item, one.item.order
        assert order is not None
        currency = currency_of(order)
        self._add(
            "order_entries",
            **_said(one),
            app_key=item.app,
            order_id=order.order_id,
            kind=order.kind,
            placed_at=naive(order.placed_at) if order.placed_at else None,
            amount_micros=order.amount_micros,
            currency=currency,
            coupon=(order.coupon or "").strip(" ") or None,
            market=country_code(order.market) if order.market is not None else None,
        )
        for number, line in enumerate(order.lines):
            said = {"app_key": item.app, "order_id": order.order_id, "hash": one.hash, "line": number}
            self._add("order_lines", **said, **vars(line))
        if one.app is not None and item.trust < one.app.commerce_trust:
            self._warn(one, "trust_too_low")
        if order.kind in ("completed", "updated") and currency is None and order.amount_micros is not None:
            self._warn(one, "currency_assumed")

    def _see(self, taken: list[Judged]) -> None:
        """One row a customer, app and source: when it was seen, whatever the items said."""
        seen: dict[tuple[int, int, int], list[datetime]] = defaultdict(list)
        for one in taken:
            if one.key is not None:
                seen[one.key, one.item.app, one.item.source].append(naive(one.item.happened_at))
        for (key, app, source), times in seen.items():
            self._add(
                "sightings", customer_key=key, app_key=app, first_at=min(times), last_at=max(times), source=source
            )

    def _see_devices(self, taken: list[Judged]) -> None:
        """One row for each different description of a device: only so do batches add up the same (C-20)."""
        grouped: dict[tuple[Any, ...], list[tuple[datetime, uuid.UUID]]] = defaultdict(list)
        for one in taken:
            if one.key is not None and (place := device_place(one)) is not None:
                described = _described(one)
                whose = (self._devices[place], one.key, one.item.app, one.item.source)
                grouped[whose + tuple(described.values())].append((naive(one.item.happened_at), one.hash))
        for told, places in grouped.items():
            newest_at, newest = max(places, key=lambda place: (place[0], place[1].bytes))
            columns = dict(zip(("device_key", "customer_key", "app_key", "source", *_DESCRIPTION), told, strict=True))
            first_at = min(at for at, _ in places)
            self._add("device_sightings", **columns, first_at=first_at, happened_at=newest_at, hash=newest)


_DESCRIPTION = (
    "device_family", "os", "os_version", "os_version_key", "app_version", "app_version_key", "device_model", "locale",
    "time_zone",
)  # fmt: skip  # a table, read by rows


def device_place(one: Judged) -> tuple[int, str] | None:
    """The device an item came from: `device.id`, else the anonymous id of its app (C-11)."""
    device_id = _device_id(one)
    return (one.item.app, device_id) if one.item.app and device_id is not None else None


def currency_of(order: OrderEntry) -> str | None:
    return (order.currency or "").strip(" ").upper() or None


def _device_id(one: Judged) -> str | None:
    return one.item.device.device_id if one.item.device else one.anonymous


def _described(one: Judged) -> Row:
    device = one.item.device
    if device is None:
        return dict.fromkeys(_DESCRIPTION)
    family = device.device_family.lower() if device.device_family is not None else None
    values = {
        "device_family": family if family is None or family in DEVICE_FAMILIES else "other",
        "os": device.os,
        "os_version": device.os_version,
        "os_version_key": _version_key(device.os_version),
        "app_version": device.app_version,
        "app_version_key": _version_key(device.app_version),
        "device_model": device.device_model,
        "locale": (language_tag(device.locale) or None) if device.locale is not None else None,
        "time_zone": zone_name(device.time_zone) if device.time_zone is not None else None,
    }
    return {name: values[name] for name in _DESCRIPTION}


def _version_key(text: str | None) -> str | None:
    return version_key(text) if text is not None and is_version(text) else None


def _said(one: Judged, *, trust: bool = True) -> Row:
    item = one.item
    said: Row = {
        "customer_key": one.key,
        "happened_at": naive(item.happened_at),
        "hash": one.hash,
        "source": item.source,
    }
    return said | {"trust": int(item.trust)} if trust else said


def _out_of_range(attribute: str, value: str | None, happened_at: datetime) -> str | None:
    """Ages are checked on the day the item happened, in UTC: a birthday tomorrow is as wrong anywhere."""
    if attribute != "birthday" or value in (None, "null"):
        return None
    born = datetime.fromisoformat(json.loads(value or ""))
    age = day_code(naive(happened_at).date()) - day_code(born.date())
    return None if 0 <= age < (OLDEST_AGE + 1) * 10_000 else "value_out_of_range"


def _told(props: Mapping[str, Any], *path: str) -> str | None:
    """A property as text, without spaces around it."""
    value: Any = props
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    text = text_of(value)
    return (text.strip(" ") or None) if text is not None else None
