"""Who an item is about: identities decided one after the other in order of arrival (C-6 to C-8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from muster.warehouse.catalog import Trust

ANONYMOUS_LIMIT = 1_000  # C-8: of one customer

EXTERNAL, ANONYMOUS = "external", "anonymous"


class Identity(NamedTuple):
    """`app` is 0 for external ids: they are one name space."""

    kind: str
    app: int
    text: str


class Claim(NamedTuple):
    """What one item says about who it is from."""

    app: int
    external: str | None
    anonymous: str | None
    previous: str | None
    trust: int

    def identities(self) -> Iterator[Identity]:
        """Every identity the claim may have to look up."""
        if self.external is not None:
            yield Identity(EXTERNAL, 0, self.external)
        if self.anonymous is not None:
            yield Identity(ANONYMOUS, self.app, self.anonymous)
        if self.previous is not None:
            yield Identity(ANONYMOUS, self.app, self.previous)
            yield Identity(EXTERNAL, 0, self.previous)


@dataclass
class Resolver:
    """Works on what is known of the identities a batch names; afterwards tells what changed.

    `known`: identity -> customer key. `identified`: keys with an external id. `anonymous_counts`: anonymous ids per
    key. A key that another was merged into stands for both, also for items before the merge (C-7).
    """

    next_key: int
    known: dict[Identity, int]
    identified: set[int]
    anonymous_counts: dict[int, int]
    attached: dict[Identity, int] = field(default_factory=dict)
    """Identities that are new or now belong to another customer."""
    subjects: dict[Identity, int] = field(default_factory=dict)
    """Identities under which a customer became known: its bucketing subject, an external one before an anonymous."""
    survivors: dict[int, int] = field(default_factory=dict)
    """loser -> survivor."""

    def __post_init__(self) -> None:
        self.loaded = dict(self.known)
        """What was known before anything was resolved."""

    def resolve(self, claim: Claim) -> tuple[int, str | None]:
        """The customer's key and a remark (`identity_limit`, `merge_not_allowed`); key 0 with the latter: refused."""
        if claim.previous is not None and claim.external is not None:
            return self._alias(claim, claim.external, claim.previous)
        if claim.external is None:
            return (self._customer(Identity(ANONYMOUS, claim.app, claim.anonymous)) if claim.anonymous else 0), None
        if claim.anonymous is None:
            return self._customer(Identity(EXTERNAL, 0, claim.external)), None
        return self._join(claim.external, Identity(ANONYMOUS, claim.app, claim.anonymous))

    def current(self, key: int) -> int:
        """The key that stands for this one now."""
        while key in self.survivors:
            key = self.survivors[key]
        return key

    def _alias(self, claim: Claim, external: str, previous: str) -> tuple[int, str | None]:
        anonymous = Identity(ANONYMOUS, claim.app, previous)
        former = Identity(EXTERNAL, 0, previous)
        if claim.app and anonymous in self.known:
            return self._join(external, anonymous)
        if former not in self.known:
            # Unknown: an anonymous id of this app that has not sent anything yet.
            return self._join(external, anonymous) if claim.app else (self._customer(_external(external)), None)
        loser = self._lookup(former)
        if claim.trust < Trust.SERVER and self._lookup(_external(external)) != loser:
            return 0, "merge_not_allowed"
        winner = self._lookup(_external(external))
        if winner is None or winner == loser:
            self._attach(_external(external), loser or 0)
            return loser or 0, None
        return self._merge(loser or 0, winner), None

    def _join(self, external: str, anonymous: Identity) -> tuple[int, str | None]:
        """An external and an anonymous id in one item."""
        person, visitor = self._lookup(_external(external)), self._lookup(anonymous)
        if visitor is not None and visitor not in self.identified:
            if person is None:
                # Nobody to merge with: the visitor becomes the identified customer.
                self._attach(_external(external), visitor)
                return visitor, None
            if self._is_full(person):
                return person, "identity_limit"
            return self._merge(visitor, person), None
        if person is None:
            person = self._customer(_external(external))
        if visitor == person:
            return person, None
        if self._is_full(person):
            return person, "identity_limit"
        # Unknown, or of another identified customer: a shared device, what was before stays (no merge).
        self._attach(anonymous, person)
        return person, None

    def _customer(self, identity: Identity) -> int:
        key = self._lookup(identity)
        if key is None:
            key = self.next_key
            self.next_key += 1
            self._attach(identity, key)
            self.subjects[identity] = key
        return key

    def _lookup(self, identity: Identity) -> int | None:
        key = self.known.get(identity)
        return None if key is None else self.current(key)

    def _attach(self, identity: Identity, key: int) -> None:
        former = self._lookup(identity)
        if former == key:
            return
        if identity.kind == EXTERNAL:
            if key not in self.identified:
                self.subjects[identity] = key
            self.identified.add(key)
        else:
            if former is not None:
                self.anonymous_counts[former] -= 1
            self.anonymous_counts[key] = self.anonymous_counts.get(key, 0) + 1
        self.known[identity] = self.attached[identity] = key

    def _merge(self, one: int, other: int) -> int:
        """Survivor: the identified one, else the lower key."""
        identified = [key for key in (one, other) if key in self.identified]
        survivor = identified[0] if len(identified) == 1 else min(one, other)
        loser = other if survivor == one else one
        self.survivors[loser] = survivor
        self.anonymous_counts[survivor] = self.anonymous_counts.get(survivor, 0) + self.anonymous_counts.pop(loser, 0)
        return survivor

    def _is_full(self, key: int) -> bool:
        return self.anonymous_counts.get(key, 0) >= ANONYMOUS_LIMIT


def _external(text: str) -> Identity:
    return Identity(EXTERNAL, 0, text)
