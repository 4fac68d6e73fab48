"""What the control process publishes for the edge: one LMDB file, one writer, many readers (edge spec, section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import lmdb
import msgspec

from muster.kernel.errors import MusterError

# One size for all processes: address space, not disk.
_MAP_BYTES = 64 * 1024**3
_MOST_DATABASES = 16
_DIGEST_BYTES = 16


class StoreUnreadable(MusterError):
    """There is no online store yet, or it cannot be read."""

    code = "plan_missing"


class PublishedKey(msgspec.Struct, frozen=True):
    """What the edge must know of a key. `app`, `source`: numbers; `kind`: publishable or server."""

    app: int
    source: int
    kind: str
    scopes: tuple[str, ...] = ()
    origins: tuple[str, ...] = ("*",)


_encode_key = msgspec.json.Encoder().encode
_decode_key = msgspec.json.Decoder(PublishedKey).decode


def key_digest(key: str) -> bytes:
    """Under which a key is published: whoever reads the store learns no key."""
    return blake2b(key.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()


class OnlineWriter:
    """The one process that publishes; each publication is one transaction, on disk when it returns (E-33)."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._environment = lmdb.open(
            str(directory), map_size=_MAP_BYTES, max_dbs=_MOST_DATABASES, mode=0o600, metasync=True, sync=True
        )
        # Locks of readers that died.
        self._environment.reader_check()
        self._meta = self._environment.open_db(b"meta")
        self._keys = self._environment.open_db(b"keys")

    def close(self) -> None:
        self._environment.close()

    def publish_keys(self, keys: Mapping[bytes, PublishedKey]) -> None:
        """These keys by digest, and no others."""
        wanted = {digest: _encode_key(key) for digest, key in keys.items()}
        with self._environment.begin(write=True) as transaction:
            there = dict(transaction.cursor(db=self._keys))
            for digest in there.keys() - wanted.keys():
                transaction.delete(digest, db=self._keys)
            for digest, value in wanted.items():
                if there.get(digest) != value:
                    transaction.put(digest, value, db=self._keys)
            if there != wanted or transaction.get(b"generation", db=self._meta) is None:
                self._count_up(transaction)

    def publish_meta(self, values: Mapping[str, str]) -> None:
        """Facts about what is published: how far slots are drained, how old the data is."""
        with self._environment.begin(write=True) as transaction:
            for name, value in values.items():
                transaction.put(name.encode(), value.encode(), db=self._meta)
            self._count_up(transaction)

    def check_readers(self) -> None:
        """Once a minute: what a reader that died holds would make the file grow (E-36)."""
        self._environment.reader_check()

    def _count_up(self, transaction: lmdb.Transaction) -> None:
        before = transaction.get(b"generation", db=self._meta)
        transaction.put(b"generation", str(int(before or b"0") + 1).encode(), db=self._meta)


class OnlineReader:
    """For one process that answers requests; opened after it was forked."""

    def __init__(self, directory: Path) -> None:
        """`StoreUnreadable` if nothing was published there yet."""
        try:
            self._environment = lmdb.open(
                str(directory), map_size=_MAP_BYTES, max_dbs=_MOST_DATABASES, readonly=True, create=False
            )
            self._meta = self._environment.open_db(b"meta", create=False)
            self._keys = self._environment.open_db(b"keys", create=False)
        except lmdb.Error as error:
            raise StoreUnreadable("Nothing has been published yet: start `muster serve` once.") from error

    def close(self) -> None:
        self._environment.close()

    def key(self, digest: bytes) -> PublishedKey | None:
        """None if no such key is in force."""
        with self._reading() as transaction:
            found = transaction.get(digest, db=self._keys)
        return None if found is None else _decode_key(found)

    def meta(self, name: str) -> str | None:
        with self._reading() as transaction:
            found = transaction.get(name.encode(), db=self._meta)
        return None if found is None else bytes(found).decode()

    @contextmanager
    def _reading(self) -> Iterator[lmdb.Transaction]:
        try:
            with self._environment.begin() as transaction:
                yield transaction
        except lmdb.Error as error:
            raise StoreUnreadable("The online store cannot be read.") from error
