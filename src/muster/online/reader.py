"""Reads the online store in LMDB: one read transaction a request, opened after fork, always closed (E-33, E-36)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import lmdb
import msgspec

from muster.online.layout import (
    CUSTOMERS_A_BLOCK,
    STATE,
    decode_state,
    identity_of,
    open_environment,
)
from muster.online.port import PublishedKey, State, StoreUnreadable

_decode_key = msgspec.json.Decoder(PublishedKey).decode
_SHIFT, _LAST = CUSTOMERS_A_BLOCK.bit_length() - 1, CUSTOMERS_A_BLOCK - 1


class LmdbSnapshot:
    """One read transaction."""

    __slots__ = ("_reader", "_transaction", "state")

    def __init__(self, reader: LmdbView) -> None:
        self._reader = reader
        self._transaction = reader.begin()
        try:
            self.state = reader.state_in(self._transaction)
        except BaseException:
            self._transaction.abort()
            raise

    def __enter__(self) -> LmdbSnapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.abort()
        if isinstance(error, lmdb.Error):
            raise StoreUnreadable("The online store cannot be read.") from error

    def key(self, digest: bytes) -> PublishedKey | None:
        found = self._transaction.get(digest, db=self._reader.keys)
        return None if found is None else _decode_key(found)

    def plan(self, app: int) -> bytes | None:
        if not self.state.complete:
            return None
        found: bytes | None = self._transaction.get(app.to_bytes(2, "big"), db=self._reader.plans)
        return found

    def customer(self, digest: bytes) -> int | None:
        found = self._transaction.get(digest, db=self._reader.ids[self.state.ids & 1])
        return None if found is None else int.from_bytes(found, "big")

    def mask(self, customer: int) -> int:
        state = self.state
        block = self._transaction.get((customer >> _SHIFT).to_bytes(4, "big"), db=self._reader.masks[state.masks & 1])
        if block is None:
            return 0
        begin = (customer & _LAST) * state.width
        return int.from_bytes(block[begin : begin + state.width], "little")


class LmdbView:
    """What there is to read in an open store."""

    def __init__(self, environment: lmdb.Environment, databases: dict[bytes, Any]) -> None:
        self._environment = environment
        self.keys, self.plans = databases[b"keys"], databases[b"plans"]
        self.masks = (databases[b"masks.0"], databases[b"masks.1"])
        self.ids = (databases[b"ids.0"], databases[b"ids.1"])
        self._meta = databases[b"meta"]
        self._raw_state: bytes | None = None
        self._state = State()

    def snapshot(self) -> LmdbSnapshot:
        try:
            return LmdbSnapshot(self)
        except lmdb.Error as error:
            raise StoreUnreadable("The online store cannot be read.") from error

    def meta(self, name: str) -> str | None:
        with self._reading() as transaction:
            found = transaction.get(name.encode(), db=self._meta)
        return None if found is None else bytes(found).decode()

    def begin(self) -> Any:
        """A transaction, once more if another process has given the map another size."""
        try:
            return self._environment.begin()
        except lmdb.MapResizedError:
            self._environment.set_mapsize(0)
            return self._environment.begin()

    def state_in(self, transaction: Any) -> State:
        raw = transaction.get(STATE, db=self._meta)
        if raw != self._raw_state:
            self._state = State() if raw is None else decode_state(raw)
            self._raw_state = raw
        return self._state

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            with self.begin() as transaction:
                yield transaction
        except lmdb.Error as error:
            raise StoreUnreadable("The online store cannot be read.") from error


class LmdbReader(LmdbView):
    """For a process that publishes nothing. `StoreUnreadable` if nothing was published there yet."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            self._identity = identity_of(directory)
            super().__init__(*open_environment(directory, readonly=True))
        except (lmdb.Error, OSError) as error:
            raise StoreUnreadable("Nothing has been published yet: start `muster serve` once.") from error

    def close(self) -> None:
        self._environment.close()

    def is_current(self) -> bool:
        try:
            return identity_of(self._directory) == self._identity
        except OSError:
            return False
