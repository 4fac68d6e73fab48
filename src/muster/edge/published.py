"""What control has published, as this process sees it: opened when it is there, and again if it is another (E-2)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from muster.edge.errors import plan_missing
from muster.edge.plans import ReadyPlan
from muster.edge.settings import EdgeSettings
from muster.online.port import PublishedKey, State, StoreUnreadable, app_digest, identity_digest, key_digest
from muster.online.reader import LmdbReader, LmdbSnapshot

logger = logging.getLogger("muster.edge")

_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_UNTIL_STALE = 60
# Keys that are sent and are none are not kept.
_MOST_KEYS = 10_000

Digest = Callable[[str], bytes]


class Look(NamedTuple):
    """One state of the store, for one decision: `customer` None if nobody is known by any of the names."""

    state: State
    plan: ReadyPlan
    customer: int | None
    mask: int


class Published:
    def __init__(self, settings: EdgeSettings) -> None:
        self._directory = settings.online_directory
        self._store: LmdbReader | None = None
        self._tried_at = float("-inf")
        self._renewed = -1
        self._keys: dict[str, PublishedKey] = {}
        self._plans: dict[int, ReadyPlan] = {}
        self.stale_since = ""
        """How old the data is, once control has not been heard of for a minute."""

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    @property
    def is_there(self) -> bool:
        return self._opened() is not None

    @property
    def can_decide(self) -> bool:
        store = self._opened()
        try:
            if store is None:
                return False
            with store.snapshot() as now:
                return now.state.complete
        except StoreUnreadable:
            return False

    def key(self, key: str) -> PublishedKey | None:
        """None if it is unknown or revoked; 503 if that cannot be said."""
        return self._found(key, key_digest)

    def app(self, app_key: str) -> PublishedKey | None:
        """What stands for an app that a customer token names, where no key was sent."""
        # No key begins with a blank.
        return self._found(f" {app_key}", lambda text: app_digest(text[1:]))

    def look(self, app: int, names: Sequence[tuple[str, int, str]]) -> Look:
        """Whom the first of these names that is anybody's names, and their groups. 503 where nothing is published."""
        store = self._opened()
        if store is None:
            raise plan_missing()
        try:
            with store.snapshot() as now:
                state = now.state
                if state.renewed != self._renewed:
                    self._renew(state)
                plan = self._plans.get(app) or self._read_plan(now, app)
                for name in names:
                    customer = now.customer(identity_digest(*name))
                    if customer is not None:
                        return Look(state, plan, customer, now.mask(customer))
                return Look(state, plan, None, 0)
        except StoreUnreadable:
            raise plan_missing() from None

    def is_known(self, names: Sequence[tuple[str, int, str]]) -> bool:
        """Whether any of the names is somebody's; yes, while that cannot be said."""
        store = self._opened()
        try:
            if store is None:
                return True
            with store.snapshot() as now:
                return not now.state.complete or any(now.customer(identity_digest(*name)) is not None for name in names)
        except StoreUnreadable:
            return True

    def drained(self, slot: int) -> tuple[str, int] | None:
        """How far the warehouse has a slot: the file, and the place in it."""
        return self._place(f"drained/{slot}")

    def followed(self, slot: int) -> tuple[str, int] | None:
        """How far membership and answers include a slot."""
        return self._place(f"published/{slot}")

    def look_around(self) -> None:
        """Once a second: whether the store is still the one in place, and control alive."""
        if self._store is not None and not self._store.is_current():
            self.close()
            self._renewed = -1
            self._tried_at = float("-inf")
        store = self._opened()
        try:
            beaten = store.meta("heartbeat_at") if store is not None else None
            if store is None or beaten is None:
                self.stale_since = ""
                return
            age = datetime.now(UTC) - datetime.fromisoformat(beaten)
            with store.snapshot() as now:
                self.stale_since = now.state.data_as_of if age.total_seconds() > _SECONDS_UNTIL_STALE else ""
        except StoreUnreadable:
            logger.warning("the online store cannot be read")

    def _found(self, text: str, digest_of: Digest) -> PublishedKey | None:
        store = self._opened()
        if store is None:
            raise plan_missing()
        try:
            with store.snapshot() as now:
                if now.state.renewed != self._renewed:
                    self._renew(now.state)
                found = self._keys.get(text)
                if found is None:
                    found = now.key(digest_of(text))
                    if found is not None and len(self._keys) < _MOST_KEYS:
                        self._keys[text] = found
                return found
        except StoreUnreadable:
            raise plan_missing() from None

    def _renew(self, state: State) -> None:
        """Keys and plans are others: what was decoded is read again (E-33)."""
        self._keys, self._plans = {}, {}
        self._renewed = state.renewed

    def _read_plan(self, now: LmdbSnapshot, app: int) -> ReadyPlan:
        encoded = now.plan(app)
        if encoded is None:
            raise plan_missing()
        plan = self._plans[app] = ReadyPlan(encoded)
        return plan

    def _place(self, name: str) -> tuple[str, int] | None:
        store = self._opened()
        try:
            told = store.meta(name) if store is not None else None
        except StoreUnreadable:
            return None
        if told is None:
            return None
        file, _, seq = told.partition(":")
        return file, int(seq)

    def _opened(self) -> LmdbReader | None:
        if self._store is None and time.monotonic() - self._tried_at >= _SECONDS_BETWEEN_TRIES:
            self._tried_at = time.monotonic()
            try:
                self._store = LmdbReader(self._directory)
            except StoreUnreadable:
                return None
        return self._store
