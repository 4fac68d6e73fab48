"""Orders in plain Python: the entry in force, refunds, the publisher's currency (C-23 to C-25)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from muster.engine.reference.identity import Customer, Everybody
from muster.kernel.civil import local_day
from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog
from muster.warehouse.items import Item, Line, OrderEntry
from muster.warehouse.normal.countries import country_code

OLDEST_RATE = timedelta(days=7)


@dataclass(frozen=True)
class Entry:
    item: Item
    order: OrderEntry
    customer: Customer | None

    @property
    def place(self) -> tuple[datetime, bytes]:
        return self.item.happened_at, self.item.hash


@dataclass(frozen=True)
class Order:
    customer: Customer
    app: int
    order_id: str
    happened_at: datetime
    hash: bytes
    amount_micros: int | None
    currency: str
    base_micros: int | None
    cancelled: bool
    refunded_micros: int
    refunded_base_micros: int | None
    coupon: str | None
    market: str | None
    lines: tuple[Line, ...]
    returned: frozenset[str]
    """Products that refunds name."""
    refunded_fully: bool
    entries: tuple[Entry, ...]

    @property
    def counts(self) -> bool:
        return not self.cancelled

    @property
    def sells(self) -> bool:
        """Neither cancelled nor a credit note."""
        return not self.cancelled and (self.amount_micros or 0) >= 0

    @property
    def is_purchase(self) -> bool:
        return not self.cancelled and (self.amount_micros or 0) > 0


def orders_of(everybody: Everybody, rates: Sequence[Rate], catalog: Catalog) -> list[Order]:
    apps = {app.number: app for app in catalog.apps.values()}
    entries: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    owned = [(item, customer) for customer in everybody.customers for item in customer.items]
    for item, customer in owned + [(item, None) for item in everybody.orphans]:
        trusted = item.app not in apps or item.trust >= apps[item.app].commerce_trust
        if item.order is not None and trusted:
            entries[item.app, item.order.order_id].append(Entry(item, item.order, customer))
    exchange = _Exchange(rates, catalog)
    orders = [_order(app, order_id, found, exchange, catalog) for (app, order_id), found in entries.items()]
    return [order for order in orders if order is not None]


def _order(app: int, order_id: str, entries: list[Entry], exchange: _Exchange, catalog: Catalog) -> Order | None:
    completed = sorted((e for e in entries if e.order.kind == "completed"), key=lambda e: e.place)
    updated = sorted((e for e in entries if e.order.kind == "updated"), key=lambda e: e.place)
    refunds = [e for e in entries if e.order.kind == "refunded"]
    if not completed and not updated:
        return None
    force = updated[-1] if updated else completed[0]
    named = sorted((e for e in completed + updated if e.customer is not None), key=lambda e: e.place)
    customer = force.customer or (named[0].customer if named else None)
    if customer is None:
        return None
    placed = [e.order.placed_at or e.item.happened_at for e in completed]
    happened_at = force.order.placed_at or (min(placed) if placed else force.item.happened_at)
    amount = force.order.amount_micros
    most = max(amount or 0, 0)
    sums = [e.order.amount_micros for e in refunds]
    refunded = most if None in sums else min(sum(abs(micros or 0) for micros in sums), most)
    currency = (force.order.currency or "").strip().upper() or _assumed_currency(app, catalog)
    return Order(
        customer=customer,
        app=app,
        order_id=order_id,
        happened_at=happened_at,
        hash=force.item.hash,
        amount_micros=amount,
        currency=currency,
        base_micros=exchange.in_base(amount, currency, happened_at),
        cancelled=any(e.order.kind == "cancelled" for e in entries),
        refunded_micros=refunded,
        refunded_base_micros=exchange.in_base(refunded, currency, happened_at),
        coupon=(force.order.coupon or "").strip(" ") or None,
        market=country_code(force.order.market) if force.order.market else None,
        lines=force.order.lines,
        returned=frozenset(line.product_id for e in refunds for line in e.order.lines if line.product_id),
        refunded_fully=bool(refunds) and refunded >= (amount or 0),
        entries=tuple(entries),
    )


def _assumed_currency(app: int, catalog: Catalog) -> str:
    for candidate in catalog.apps.values():
        if candidate.number == app and candidate.default_currency:
            return candidate.default_currency.upper()
    return catalog.currency


class _Exchange:
    def __init__(self, rates: Sequence[Rate], catalog: Catalog) -> None:
        self._rates: Mapping[tuple[date, str], Fraction] = {
            (rate.day, rate.currency.strip().upper()): rate.rate for rate in rates
        }
        self._catalog = catalog

    def in_base(self, micros: int | None, currency: str, happened_at: datetime) -> int | None:
        """Whole micros of the publisher's currency, half to even; None while there is no rate."""
        if micros is None or currency == self._catalog.currency:
            return micros
        day = local_day(happened_at, ZoneInfo(self._catalog.zone))
        for days_back in range(OLDEST_RATE.days + 1):
            rate = self._rates.get((day - timedelta(days=days_back), currency))
            if rate is not None:
                return round(micros * rate)
        return None
