"""Who is who, from items in order of arrival: the six rows of the table in section 2 and nothing else (C-6 to C-8)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from muster.warehouse.catalog import Catalog, Trust
from muster.warehouse.items import Item

PLACEHOLDERS = {
    "null", "undefined", "none", "nan", "0", "true", "false", "anonymous", "guest", "id", "distinct_id", "email",
    "[object object]", "00000000-0000-0000-0000-000000000000", "",
}  # fmt: skip  # a table, read by rows
MOST_ANONYMOUS_IDS = 1_000

Identity = tuple[str, int, str]


@dataclass(eq=False)
class Customer:
    """`merged_into` is set once another customer stands for this one."""

    key: int
    subject: str
    items: list[Item] = field(default_factory=list)
    identities: set[Identity] = field(default_factory=set)
    merged_into: Customer | None = None

    @property
    def identified(self) -> bool:
        return any(kind == "external" for kind, _, _ in self.identities)

    @property
    def full(self) -> bool:
        return sum(kind == "anonymous" for kind, _, _ in self.identities) >= MOST_ANONYMOUS_IDS


@dataclass
class Everybody:
    """`customers` that exist; `orphans`: accepted items that name nobody (an order taken back)."""

    customers: list[Customer]
    orphans: list[Item]


def usable(text: str | None) -> str | None:
    """The id in NFC; None if it is absent, a placeholder or too long."""
    if text is None or text.strip(" \t\r\n").lower() in PLACEHOLDERS or len(text) > 255:
        return None
    return unicodedata.normalize("NFC", text)


def identify(items: Iterable[Item], catalog: Catalog) -> Everybody:
    """Gives each item to a customer; refused and repeated items to nobody."""
    registry = _Registry()
    orphans: list[Item] = []
    seen: set[bytes] = set()
    apps = {app.number: app for app in catalog.apps.values()}
    for item in items:
        if item.hash in seen or (not item.app and (item.event or item.order)):
            continue
        external, anonymous = usable(item.external_id), usable(item.anonymous_id) if item.app else None
        if external is None and anonymous is None:
            placeholder = any(
                sent is not None and usable(sent) is None for sent in (item.external_id, item.anonymous_id)
            )
            takes_back = item.order is not None and item.order.kind != "completed"
            if takes_back and not placeholder:
                orphans.append(item)
                seen.add(item.hash)
            continue
        signed_only = item.app in apps and apps[item.app].signed_identity
        if external is not None and item.trust == Trust.OPEN and signed_only:
            continue
        customer = registry.customer_of(item, external, anonymous, usable(item.previous_id))
        if customer is not None:
            customer.items.append(item)
            seen.add(item.hash)
    return Everybody([c for c in registry.customers if c.merged_into is None], orphans)


class _Registry:
    def __init__(self) -> None:
        self.customers: list[Customer] = []
        self._owners: dict[Identity, Customer] = {}

    def customer_of(
        self, item: Item, external: str | None, anonymous: str | None, previous: str | None
    ) -> Customer | None:
        if external is not None and previous is not None:
            return self._alias(item, ("external", 0, external), previous)
        if external is not None and anonymous is not None:
            return self._both(("external", 0, external), ("anonymous", item.app, anonymous))
        if external is not None:
            return self._owner_or_new(("external", 0, external))
        return self._owner_or_new(("anonymous", item.app, anonymous or ""))

    def _both(self, external: Identity, anonymous: Identity) -> Customer:
        visitor, person = self._owners.get(anonymous), self._owners.get(external)
        if visitor is None:
            person = self._owner_or_new(external)
            if not person.full:
                self._attach(anonymous, person)
            return person
        if not visitor.identified:
            if person is None:
                self._attach(external, visitor)
                visitor.subject = f"c:{external[2]}"
                return visitor
            if not person.full:
                self._merge(visitor, person)
            return person
        person = self._owner_or_new(external)
        if person is not visitor and not person.full:
            self._owners[anonymous].identities.discard(anonymous)
            self._attach(anonymous, person)
        return person

    def _alias(self, item: Item, external: Identity, previous: str) -> Customer | None:
        anonymous, former = ("anonymous", item.app, previous), ("external", 0, previous)
        if item.app and (anonymous in self._owners or former not in self._owners):
            return self._both(external, anonymous)
        if former not in self._owners:
            return self._owner_or_new(external)
        was, now = self._owners[former], self._owners.get(external)
        if was is now:
            return was
        if item.trust != Trust.SERVER:
            return None
        if now is None:
            self._attach(external, was)
            return was
        older, younger = sorted((was, now), key=lambda customer: customer.key)
        self._merge(younger, older)
        return older

    def _owner_or_new(self, identity: Identity) -> Customer:
        if identity not in self._owners:
            prefix = "c:" if identity[0] == "external" else "a:"
            customer = Customer(len(self.customers) + 1, prefix + identity[2])
            self.customers.append(customer)
            self._attach(identity, customer)
        return self._owners[identity]

    def _attach(self, identity: Identity, customer: Customer) -> None:
        self._owners[identity] = customer
        customer.identities.add(identity)

    def _merge(self, loser: Customer, survivor: Customer) -> None:
        loser.merged_into = survivor
        survivor.items += loser.items
        for identity in loser.identities:
            self._attach(identity, survivor)
