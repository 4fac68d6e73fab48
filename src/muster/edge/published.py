"""What control has published, as this process sees it: opened when it is there, and again if it could not be (E-2)."""

from __future__ import annotations

import time

from muster.edge.errors import plan_missing
from muster.edge.settings import EdgeSettings
from muster.online.port import PublishedKey, StoreUnreadable, key_digest
from muster.online.reader import LmdbReader

_SECONDS_BETWEEN_TRIES = 0.5


class Published:
    def __init__(self, settings: EdgeSettings) -> None:
        self._directory = settings.online_directory
        self._store: LmdbReader | None = None
        self._tried_at = float("-inf")

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    @property
    def is_there(self) -> bool:
        return self._opened() is not None

    def key(self, key: str) -> PublishedKey | None:
        """None if it is unknown or revoked; 503 if that cannot be said."""
        store = self._opened()
        if store is None:
            raise plan_missing()
        try:
            with store.snapshot() as now:
                return now.key(key_digest(key))
        except StoreUnreadable:
            raise plan_missing() from None

    def drained(self, slot: int) -> tuple[str, int] | None:
        """How far the warehouse has a slot: the file, and the place in it."""
        return self._place(f"drained/{slot}")

    def followed(self, slot: int) -> tuple[str, int] | None:
        """How far membership and answers include a slot."""
        return self._place(f"published/{slot}")

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
