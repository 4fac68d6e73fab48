"""The thread that drains the spool in the control process; groups follow, and the edge is told (E-18, E-21, E-22)."""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from django.db import connection

from muster.customers.actions.drain import Drain, Drained, drained_cursors
from muster.customers.hooks import current_warehouse, spool_emptiers
from muster.groups.actions.following import Follower, provide_follower
from muster.groups.actions.publication import current_publisher
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.online.writer import OnlineWriter
from muster.spool.reading import Cursor, SpoolReader
from muster.wiring.configuration import Configuration

logger = logging.getLogger("muster.drain")

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_SWEEPS = 60.0
# The edge looks once a second how far the warehouse came.
_SECONDS_TO_EMPTY = 30.0
_SECONDS_BETWEEN_TRIES = 0.1
# What came alone is derived once nothing else comes for a moment, or has come for long.
_SECONDS_OF_QUIET = 0.25
_MOST_SECONDS_LATE = 5.0


class DrainThread:
    """Runs until `close`. Edge processes poke it after each commit; it looks by itself every second."""

    def __init__(self, configuration: Configuration, online: OnlineWriter) -> None:
        self._directory = configuration.spool_directory
        self._reader = SpoolReader(self._directory)
        self._drain = Drain(self._reader)
        self._online = online
        self._path = configuration.drain_socket
        self._poked = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path.unlink(missing_ok=True)
        self._poked.bind(str(self._path))
        self._path.chmod(0o600)
        self._poked.setblocking(False)
        self._closing = threading.Event()
        self._follower = Follower()
        self._has_begun = self._is_unsure = False
        self._late_since: float | None = None
        self._swept_at = float("-inf")
        self._thread = threading.Thread(target=self._loop, name="drain", daemon=True)

    def start(self) -> None:
        provide_follower(self._follower)
        spool_emptiers[:] = [self.empty]
        self._thread.start()

    def close(self) -> None:
        """The cycle under way is finished."""
        self._closing.set()
        spool_emptiers[:] = [one for one in spool_emptiers if one != self.empty]
        self._poke()
        if self._thread.is_alive():
            self._thread.join()
        provide_follower(None)
        self._poked.close()
        self._path.unlink(missing_ok=True)
        self._reader.close()

    def empty(self) -> None:
        """Returns when nothing lies in the spool of what was there: `spool_waits` if that takes too long."""
        asked_us = time.time_ns() // 1_000
        self._swept_at = float("-inf")
        reader = SpoolReader(self._directory)
        try:
            deadline = time.monotonic() + _SECONDS_TO_EMPTY
            while (oldest := reader.oldest()) is not None and oldest <= asked_us:
                if time.monotonic() > deadline:
                    raise MusterError(
                        "What apps sent waits for the warehouse, or for the edge to let go of it. Look at `muster spool"
                        " status`.",
                        code="spool_waits",
                    )
                self._poke()
                time.sleep(_SECONDS_BETWEEN_TRIES)
        finally:
            reader.close()

    def _poke(self) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as poke:
            poke.sendto(b".", str(self._path))

    def _loop(self) -> None:
        try:
            while not self._closing.is_set():
                # What failed is tried again, and what waits behind it looked at again, a second later.
                try:
                    self._work()
                except Exception:
                    logger.exception("the spool could not be drained, or groups could not follow; it is tried again")
                    # It may be what is to blame. While all is well it stays open: opening it costs more than a cycle.
                    connection.close()
                    self._closing.wait(_SECONDS_BETWEEN_LOOKS)
                self._wait()
        finally:
            connection.close()

    def _work(self) -> None:
        self._begin()
        self._repair()
        while not self._closing.is_set() and (done := self._drain.cycle()) is not None:
            self._take(done)
        self._settle()
        self._follower.advance()
        self._sweep()

    def _begin(self) -> None:
        """A process that died may have committed what nobody followed or was told of any more."""
        if not self._has_begun:
            self._publish_places(drained_cursors(), followed=False)
            self._follower.begin()
            self._publish_places(drained_cursors(), followed=True)
            self._has_begun = True

    def _take(self, done: Drained) -> None:
        """Who was touched is followed, and all that this changed published at once, with how far it came (E-33)."""
        publisher = current_publisher()
        if publisher is None:
            self._follower.follow(done.touched)
            self._publish_places(done.cursors, followed=True)
            return
        told = (done.identities, done.merges)
        try:
            with publisher.as_one():
                self._follower.follow(done.touched)
                publisher.cycle(*told, _places(done.cursors, followed=True), done.received_at)
        except Exception:
            # Who joined and left may be stored and not told.
            self._is_unsure = True
            publisher.cycle(*told, _places(done.cursors, followed=False), done.received_at)
            raise

    def _repair(self) -> None:
        publisher = current_publisher()
        if self._is_unsure and publisher is not None:
            publisher.repair()
            self._is_unsure = False

    def _settle(self) -> None:
        """Derives what came alone: it would wait for whoever asks for facts next."""
        asked = current_warehouse()
        if not asked.is_late:
            self._late_since = None
            return
        if self._late_since is None:
            self._late_since = time.monotonic()
        if not self._is_poked(_SECONDS_OF_QUIET) or time.monotonic() - self._late_since > _MOST_SECONDS_LATE:
            asked.settle()
            self._follower.follow(asked.take_settled())
            self._late_since = None

    def _wait(self) -> None:
        """Until somebody pokes, somebody changes by time, or it looks by itself."""
        if self._closing.is_set():
            return
        seconds = _SECONDS_BETWEEN_LOOKS
        due = self._follower.next_at
        if due is not None:
            seconds = min(seconds, max((due - system_clock()).total_seconds(), 0.0))
        self._is_poked(seconds)
        with suppress(BlockingIOError):
            while True:
                self._poked.recv(64)

    def _is_poked(self, seconds: float) -> bool:
        return bool(select.select([self._poked], [], [], seconds)[0])

    def _sweep(self) -> None:
        if time.monotonic() - self._swept_at >= _SECONDS_BETWEEN_SWEEPS:
            self._swept_at = time.monotonic()
            self._reader.sweep(drained_cursors())
            self._online.check_readers()

    def _publish_places(self, cursors: Mapping[int, Cursor], *, followed: bool) -> None:
        if cursors:
            self._online.publish_meta(_places(cursors, followed=followed))


def _places(cursors: Mapping[int, Cursor], *, followed: bool) -> dict[str, str]:
    """How far the warehouse has each slot; and membership, if that has `followed`."""
    told = {slot: f"{cursor.file}:{cursor.seq}" for slot, cursor in cursors.items()}
    places = {f"drained/{slot}": place for slot, place in told.items()}
    return places | ({f"published/{slot}": place for slot, place in told.items()} if followed else {})
