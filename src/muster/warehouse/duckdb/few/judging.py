"""Which of a few items are taken, and who each is about: the steps of `intake` and `resolve`, item by item."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import duckdb

from muster.warehouse.batch import Note
from muster.warehouse.catalog import App, Catalog, Trust
from muster.warehouse.duckdb.keys import highest_key
from muster.warehouse.duckdb.text_hash import is_one_of
from muster.warehouse.items import Item, flat_traits
from muster.warehouse.ledger import ErasureLedger
from muster.warehouse.normal.emails import normal_email
from muster.warehouse.normal.ids import usable_id
from muster.warehouse.resolver import ANONYMOUS, EXTERNAL, Claim, Identity, Resolver


@dataclass
class Judged:
    """One item with what was decided of it. `key`: its customer; None for an order taken back by who names none."""

    position: int
    item: Item
    app: App | None
    verdict: str | None
    key: int | None = None

    @cached_property
    def external(self) -> str | None:
        return usable_id(self.item.external_id)

    @cached_property
    def anonymous(self) -> str | None:
        return usable_id(self.item.anonymous_id) if self.item.app else None

    @cached_property
    def previous(self) -> str | None:
        return usable_id(self.item.previous_id)

    @cached_property
    def traits(self) -> dict[str, Any]:
        return flat_traits(self.item.traits)

    @cached_property
    def hash(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.item.hash)

    @property
    def has_placeholder(self) -> bool:
        sent_external, sent_anonymous = self.item.external_id is not None, self.item.anonymous_id is not None
        nobody = usable_id(self.item.anonymous_id) is None
        return (sent_external and self.external is None) or (sent_anonymous and nobody)

    @property
    def claim(self) -> Claim:
        return Claim(self.item.app, self.external, self.anonymous, self.previous, int(self.item.trust))

    @property
    def addresses(self) -> list[str]:
        said = self.traits.get("email")
        return [email.address for email in self.item.emails] + ([said] if isinstance(said, str) else [])


@dataclass
class Judgement:
    """What became of the items. `resolver` tells which identities are new or moved, and who was merged."""

    judged: list[Judged]
    resolver: Resolver
    remarks: list[Note] = field(default_factory=list)

    @property
    def taken(self) -> list[Judged]:
        return [one for one in self.judged if one.verdict is None]

    @property
    def is_plain(self) -> bool:
        """Nobody was merged and no identity moved from one customer to another."""
        return not self.resolver.survivors and not self._moved

    @property
    def _moved(self) -> bool:
        return any(identity in self.resolver.loaded for identity in self.resolver.attached)


def judge(
    connection: duckdb.DuckDBPyConnection, items: Sequence[Item], catalog: Catalog, ledger: ErasureLedger | None
) -> Judgement:
    """Reads what it must and writes nothing: whatever comes out may still be left to the set-based way."""
    apps = {app.number: app for app in catalog.apps.values()}
    judged = [Judged(place, item, apps.get(item.app), item.verdict) for place, item in enumerate(items)]
    for one in _open(judged):
        one.verdict = _refusal(one)
    _find_repeated(connection, judged)
    resolver = _resolver(connection, judged)
    if ledger:
        for one in _open(judged):
            one.verdict = _erased(one, ledger, resolver)
    return Judgement(judged, resolver, _resolve(judged, resolver))


def _open(judged: Iterable[Judged]) -> Iterator[Judged]:
    return (one for one in judged if one.verdict is None)


def _refusal(one: Judged) -> str | None:
    item = one.item
    if not item.app and (item.order or item.event):
        return "app_missing"
    if one.external is None and one.anonymous is None:
        if one.has_placeholder:
            return "identity_placeholder"
        # Only what takes an order back may come without a customer: the order knows whose it is.
        return None if item.order and item.order.kind != "completed" else "identity_missing"
    if one.external is not None and item.trust == Trust.OPEN and one.app is not None and one.app.signed_identity:
        return "signed_customer_required"
    return None


def _find_repeated(connection: duckdb.DuckDBPyConnection, judged: list[Judged]) -> None:
    """First accepted wins (C-19)."""
    wanted = [one.hash for one in _open(judged)]
    if not wanted:
        return
    found = connection.execute(f"SELECT hash FROM event_ids WHERE hash IN ({_marks(wanted)})", wanted).fetchall()
    seen = {hash_ for (hash_,) in found}
    for one in _open(judged):
        if one.hash in seen:
            one.verdict = "duplicate"
        seen.add(one.hash)


def named(one: Judged) -> Iterator[Identity]:
    """Everything the item may be looked up by; by its main text in either kind, which the ledger asks."""
    yield from one.claim.identities()
    text = one.external if one.external is not None else one.anonymous
    if text is not None:
        yield Identity(EXTERNAL, 0, text)
        yield Identity(ANONYMOUS, one.item.app, text)


def _resolver(connection: duckdb.DuckDBPyConnection, judged: list[Judged]) -> Resolver:
    """Asks only what these items can need: who joins two ids needs to know how many each person has."""
    wanted = {identity for one in _open(judged) for identity in named(one)}
    known = keys_of(connection, wanted)
    joins = any(one.previous or (one.external and one.anonymous) for one in _open(judged))
    identified, counts = _ids_of(connection, set(known.values())) if joins and known else (set(), {})
    unknown = any(identity not in known for one in _open(judged) for identity in one.claim.identities())
    return Resolver(highest_key(connection) + 1 if unknown else 0, known, identified, counts)


def keys_of(connection: duckdb.DuckDBPyConnection, wanted: set[Identity]) -> dict[Identity, int]:
    """Of these identities those that are somebody's."""
    if not wanted:
        return {}
    mine = is_one_of(identity.text for identity in wanted)
    rows = connection.execute(f"SELECT kind, app_key, text, customer_key FROM identities WHERE {mine}").fetchall()
    found = {Identity(kind, app, text): key for kind, app, text, key in rows}
    return {identity: key for identity, key in found.items() if identity in wanted}


def _ids_of(connection: duckdb.DuckDBPyConnection, keys: set[int]) -> tuple[set[int], dict[int, int]]:
    """Which of the customers are identified, and how many anonymous ids each has."""
    rows = connection.execute(
        "SELECT customer_key, count(*) FILTER (kind = 'external'), count(*) FILTER (kind = 'anonymous')"
        f" FROM identities WHERE customer_key IN ({', '.join(map(str, sorted(keys)))}) GROUP BY 1"
    ).fetchall()
    return {key for key, external, _ in rows if external}, {key: anonymous for key, _, anonymous in rows}


def _erased(one: Judged, ledger: ErasureLedger, resolver: Resolver) -> str | None:
    names = [(EXTERNAL, 0, one.external), (ANONYMOUS, one.item.app, one.anonymous)]
    if one.previous is not None:
        names += [(EXTERNAL, 0, one.previous), (ANONYMOUS, one.item.app, one.previous)]
    text = one.external if one.external is not None else one.anonymous
    known = text is not None and (
        Identity(EXTERNAL, 0, text) in resolver.known or Identity(ANONYMOUS, one.item.app, text) in resolver.known
    )
    if not known:
        # Somebody else may share an address: it only speaks of who is not known by an id.
        names += [("email", 0, normal_email(address)) for address in one.addresses]
    for kind, app, name in names:
        at = ledger.erased_at((kind, app, name)) if name is not None else None
        if at is not None and one.item.happened_at <= at:
            return "erased"
    return None


def _resolve(judged: list[Judged], resolver: Resolver) -> list[Note]:
    remarks = []
    for one in _open(judged):
        if one.external is None and one.anonymous is None:
            continue
        key, remark = resolver.resolve(one.claim)
        if remark:
            remarks.append(Note(one.position, remark, refused=key == 0))
        if key:
            one.key = key
        else:
            one.verdict = remark
    return remarks


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
