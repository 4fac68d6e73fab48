"""Writes the online store in LMDB: the one process that publishes, one write transaction a publication (E-33)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb
import msgspec
import numpy as np
from pyroaring import BitMap

from muster.kernel.clock import system_clock
from muster.online import blocks
from muster.online.aside import Aside
from muster.online.changing import BLOCKS_AT_A_TIME, change_ids, change_masks, put_blocks
from muster.online.layout import HEARTBEAT, STATE, block_key, decode_state, encode_state, file_of, open_environment
from muster.online.port import PublishedKey, State, identity_digest
from muster.online.publication import Column, Identity, Publication, Readers
from muster.online.reader import LmdbView

logger = logging.getLogger("muster.online")

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_column = msgspec.json.Decoder(Column).decode


class OnlineWriter:
    """What cannot be read is set aside, and begun anew with nothing in it: all of it can be made again (E-38)."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._environment, databases = _opened(directory)
        # Locks of readers that died.
        self._environment.reader_check()
        self._databases = databases
        self._meta, self._keys = databases[b"meta"], databases[b"keys"]
        self._lock = threading.RLock()
        self._aside: Aside | None = None
        with self._environment.begin() as transaction:
            raw = transaction.get(STATE, db=self._meta)
        self._state = State() if raw is None else decode_state(raw)

    def close(self) -> None:
        with self._lock:
            self._environment.close()

    @property
    def state(self) -> State:
        return self._state

    def view(self) -> LmdbView:
        """To read in the process that publishes: it cannot open the store a second time. One for each thread."""
        return LmdbView(self._environment, self._databases)

    def publish_keys(self, keys: Mapping[bytes, PublishedKey]) -> None:
        """These keys by digest, and no others."""
        wanted = {digest: _encode(key) for digest, key in keys.items()}
        with self._writing() as transaction:
            if self._replace(transaction, b"keys", wanted) or not self._state.generation:
                self._count_up(transaction, renewed=True)

    def publish_meta(self, values: Mapping[str, str]) -> None:
        """Facts about what is published: how far slots are drained, when control was last alive."""
        with self._writing() as transaction:
            self._put_meta(transaction, values)

    def beat(self) -> None:
        """Control is alive, whether or not there is anything to publish."""
        self.publish_meta({HEARTBEAT.decode(): system_clock().isoformat(timespec="seconds")})

    def publish(self, publication: Publication) -> None:
        with self._lock:
            needed = blocks.width_for(1 + max([*publication.moved, *publication.whole], default=0))
            if needed > self._state.width:
                self._widen(needed)
            if self._aside is not None:
                self._aside.note(publication)
            with self._writing() as transaction:
                change_masks(transaction, self._masks, self._state.width, publication)
                change_ids(transaction, self._ids, publication.identities)
                renewed = self._put_plans(transaction, publication)
                self._put_meta(transaction, publication.meta)
                self._count_up(transaction, renewed=renewed, data_as_of=publication.data_as_of)

    def columns(self) -> dict[str, Column]:
        with self._environment.begin() as transaction:
            stored = list(transaction.cursor(db=self._databases[b"columns"]))
        return {bytes(name).decode(): _decode_column(value) for name, value in stored}

    def rebuild(self, groups: int) -> Aside:
        """A whole new content beside the one in force; what is published meanwhile goes into both."""
        with self._lock:
            if self._aside is not None:
                self._aside.give_up()
            self._aside = Aside(self._writing, self._other_databases, blocks.width_for(groups), self._switch)
            return self._aside

    def forget_all(self) -> None:
        """Nothing is decided until the next rebuild: what is published belongs to another state of the data."""
        with self._writing() as transaction:
            self._put_state(transaction, msgspec.structs.replace(self._state, complete=False))

    def check_readers(self) -> None:
        """Once a minute: what a reader that died holds would make the file grow (E-36)."""
        self._environment.reader_check()

    def readers(self) -> Readers:
        info = self._environment.info()
        # A table of process, thread and the number of what is read now, or a dash.
        rows = [line.split() for line in self._environment.readers().splitlines()]
        numbers = [row[2] for row in rows if len(row) == 3 and row[0].isdigit()]
        reading = [int(number) for number in numbers if number.isdigit()]
        behind = info["last_txnid"] - min(reading, default=info["last_txnid"])
        return Readers(len(numbers), info["max_readers"], behind)

    def members(self, bits: Collection[int]) -> dict[int, BitMap]:
        """Everybody who has each of the bits."""
        found = {bit: BitMap() for bit in bits}
        for numbers, masks in self._every_block():
            for bit, theirs in found.items():
                theirs |= blocks.members_in(masks, numbers, bit)  # noqa: PLW2901 - a set, which grows in its place
        return found

    def differing(self, identities: Iterable[tuple[Identity, int]]) -> list[Identity]:
        """Those that are published as another's, or not at all."""
        with self._environment.begin() as transaction:
            return [
                identity
                for identity, key in identities
                if transaction.get(identity_digest(*identity), db=self._ids) != key.to_bytes(4, "big")
            ]

    def identity_count(self) -> int:
        with self._environment.begin() as transaction:
            return int(transaction.stat(db=self._ids)["entries"])

    def used_bytes(self) -> int:
        """Of the file, what is in use."""
        return int((self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"])

    # Parts of a publication

    @property
    def _masks(self) -> Any:
        return self._databases[b"masks.%d" % (self._state.masks & 1)]

    @property
    def _ids(self) -> Any:
        return self._databases[b"ids.%d" % (self._state.ids & 1)]

    @property
    def _other_databases(self) -> tuple[Any, Any]:
        """In which the next content of both is written."""
        masks, ids = 1 - (self._state.masks & 1), 1 - (self._state.ids & 1)
        return self._databases[b"masks.%d" % masks], self._databases[b"ids.%d" % ids]

    def _put_plans(self, transaction: Any, publication: Publication) -> bool:
        """Whether the plans are others now."""
        for group, column in publication.columns.items():
            if column is None:
                transaction.delete(group.encode(), db=self._databases[b"columns"])
            else:
                transaction.put(group.encode(), _encode(column), db=self._databases[b"columns"])
        if publication.plans is None:
            return False
        plans = {app.to_bytes(2, "big"): _encode(plan) for app, plan in publication.plans.items()}
        return self._replace(transaction, b"plans", plans)

    def _replace(self, transaction: Any, name: bytes, wanted: Mapping[bytes, bytes]) -> bool:
        """Makes a small database hold exactly this; answers whether it did not."""
        database = self._databases[name]
        there = {bytes(key): bytes(value) for key, value in transaction.cursor(db=database)}
        for key in there.keys() - wanted.keys():
            transaction.delete(key, db=database)
        for key, value in wanted.items():
            if there.get(key) != value:
                transaction.put(key, value, db=database)
        return there != dict(wanted)

    def _put_meta(self, transaction: Any, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            transaction.put(name.encode(), value.encode(), db=self._meta)

    def _count_up(self, transaction: Any, *, renewed: bool, data_as_of: str | None = None, **changed: Any) -> None:
        generation = self._state.generation + 1
        self._put_state(
            transaction,
            msgspec.structs.replace(
                self._state,
                generation=generation,
                renewed=generation if renewed else self._state.renewed,
                data_as_of=self._state.data_as_of if data_as_of is None else data_as_of,
                published_at=system_clock().isoformat(timespec="seconds").replace("+00:00", "Z"),
                **changed,
            ),
        )

    def _put_state(self, transaction: Any, state: State) -> None:
        transaction.put(STATE, encode_state(state), db=self._meta)
        self._state = state

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """One transaction, on disk at its end; what it changed of our own memory is taken back with it."""
        with self._lock:
            before = self._state
            try:
                with self._begun() as transaction:
                    yield transaction
            except BaseException:
                self._state = before
                raise

    def _begun(self) -> Any:
        try:
            return self._environment.begin(write=True)
        except lmdb.MapResizedError:
            self._environment.set_mapsize(0)
            return self._environment.begin(write=True)

    # Layouts

    def _widen(self, width: int) -> None:
        """More bytes for everybody's mask: written aside, then switched (E-34)."""
        if self._aside is not None:
            # It was to become what is in force next, and has no room: whoever fills it begins again.
            self._aside.give_up()
            self._aside = None
        target, _ = self._other_databases
        with self._writing() as transaction:
            transaction.drop(target, delete=False)
        for numbers, found in self._every_block():
            wide = blocks.widened(found, width)
            with self._writing() as transaction:
                put_blocks(transaction, target, map(block_key, numbers.tolist()), wide, append=True)
        former = self._masks
        with self._writing() as transaction:
            self._count_up(transaction, renewed=False, masks=self._state.masks + 1, width=width)
        with self._writing() as transaction:
            transaction.drop(former, delete=False)

    def _every_block(self) -> Iterator[tuple[blocks.Keys, blocks.Blocks]]:
        """All masks in portions; a transaction each, so that none is long."""
        following: bytes | None = b"\0"
        while following is not None:
            names: list[bytes] = []
            found: dict[bytes, bytes] = {}
            with self._environment.begin() as transaction:
                cursor = transaction.cursor(db=self._masks)
                more = cursor.set_range(following)
                while more and len(names) < BLOCKS_AT_A_TIME:
                    name = bytes(cursor.key())
                    names.append(name)
                    found[name] = bytes(cursor.value())
                    more = cursor.next()
                following = bytes(cursor.key()) if more else None
            if names:
                numbers = np.frombuffer(b"".join(names), ">u4").astype(np.uint32)
                yield numbers, blocks.read_blocks(found, names, self._state.width)

    # For the content that is written aside

    def _switch(self, aside: Aside, publication: Publication) -> None:
        """From now on the other content is in force, with all that was published while it was made."""
        with self._lock:
            former = (self._masks, self._ids)
            masks, ids = aside.databases
            with self._writing() as transaction:
                for noted in [*aside.noted, publication]:
                    change_masks(transaction, masks, aside.width, noted)
                    change_ids(transaction, ids, noted.identities)
                self._put_plans(transaction, publication)
                self._put_meta(transaction, publication.meta)
                self._count_up(
                    transaction,
                    renewed=True,
                    data_as_of=publication.data_as_of,
                    masks=self._state.masks + 1,
                    ids=self._state.ids + 1,
                    width=aside.width,
                    complete=True,
                )
            self._aside = None
            with self._writing() as transaction:
                for database in former:
                    transaction.drop(database, delete=False)


def _opened(directory: Path) -> tuple[lmdb.Environment, dict[bytes, Any]]:
    try:
        return open_environment(directory, readonly=False)
    except (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError, lmdb.PageNotFoundError) as error:
        logger.error("the online store cannot be read (%s); it is set aside and made again", error)
    set_aside(directory)
    return open_environment(directory, readonly=False)


def set_aside(directory: Path) -> None:
    """Out of the way, for whoever looks for the cause; of several the last."""
    file_of(directory).replace(file_of(directory).with_suffix(".unreadable"))
    (directory / "lock.mdb").unlink(missing_ok=True)
