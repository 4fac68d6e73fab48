"""The thread that drains the spool in the control process, and tells the edge how far it came (E-18, E-21)."""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from django.db import close_old_connections, connection

from muster.customers.actions.drain import Drain, Drained, drained_cursors
from muster.customers.hooks import current_warehouse, spool_emptiers
from muster.groups.actions.following.follower import Follower
from muster.groups.actions.publication import Publisher, current_publisher
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.metrics.figures import counter, durations
from muster.online.writer import OnlineWriter
from muster.spool.reading import Cursor, SpoolReader
from muster.wiring.configuration import Configuration

logger = logging.getLogger("muster.drain")


_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_SWEEPS = 60.0
# The edge looks once a second how far the warehouse came.
_SECONDS_TO_EMPTY = 30.0
_SECONDS_BETWEEN_TRIES = 0.1
# Nobody says when settings change, or when a schedule was made by what groups were before.
_SECONDS_BETWEEN_ADVANCES = 2.0


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
        self._has_begun = False
        told = "From the first request of a cycle until answers include it"
        self._decided = durations("muster_event_to_decision_seconds", told)
        self._counted = counter("muster_drained_items_total", "Items by what became of them", ("verdict",))
        self._untold: list[Drained] = []
        self._advanced_at = self._swept_at = float("-inf")
        self._thread = threading.Thread(target=self._loop, name="drain", daemon=True)

    def start(self) -> None:
        self._publish()
        spool_emptiers[:] = [self.empty]
        self._thread.start()

    def close(self) -> None:
        """The cycle under way is finished."""
        self._closing.set()
        spool_emptiers[:] = [one for one in spool_emptiers if one != self.empty]
        self._poke()
        if self._thread.is_alive():
            self._thread.join()
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
                with suppress(_Failed):
                    self._work()
                close_old_connections()
                self._wait()
        finally:
            connection.close()

    def _work(self) -> None:
        try:
            if not self._has_begun:
                self._begin()
            while not self._closing.is_set() and (done := self._drain.cycle()) is not None:
                self._untold.append(done)
                self._tell()
            self._tell()
            self._advance()
            self._sweep()
        except Exception:
            logger.exception("the spool could not be drained; it is tried again")
            raise _Failed from None

    def _begin(self) -> None:
        """What was drained before this process, and how time went by without it, is in answers from here on."""
        cursors = drained_cursors()
        self._follower.begin()
        self._online.publish_meta(_followed(_places(cursors)))
        self._has_begun = True

    def _tell(self) -> None:
        """Who was touched is followed in every group, and what that changes is published with it, as one (E-33)."""
        settled = current_warehouse().take_settled()
        publisher = current_publisher()
        if publisher is None or not (self._untold or settled):
            return
        with publisher.as_one():
            touched = settled
            for done in self._untold:
                touched |= done.outcome.touched
                self._cycle(publisher, done)
            self._follower.follow(touched)
        now = system_clock()
        for done in self._untold:
            self._decided.observe(max((now - done.first_at).total_seconds(), 0))
            for verdict, count in done.outcome.counts.items():
                self._counted.labels(verdict).inc(count)
        self._untold.clear()

    def _cycle(self, publisher: Publisher, done: Drained) -> None:
        places = _places(done.cursors)
        meta = places | _followed(places)
        publisher.cycle(done.outcome.identities, done.outcome.merges, meta, done.received_at)

    def _advance(self) -> None:
        """What time alone changes; facts that were left late, when nothing else is to be done."""
        next_at = self._follower.next_at
        waited = time.monotonic() - self._advanced_at
        if next_at is None or next_at <= system_clock() or waited >= _SECONDS_BETWEEN_ADVANCES:
            self._follower.advance()
            self._advanced_at = time.monotonic()

    def _wait(self) -> None:
        if self._closing.is_set():
            return
        poked, _, _ = select.select([self._poked], [], [], _SECONDS_BETWEEN_LOOKS)
        with suppress(BlockingIOError):
            while True:
                self._poked.recv(64)
        if not poked and current_warehouse().is_late:
            current_warehouse().settle()

    def _sweep(self) -> None:
        if time.monotonic() - self._swept_at >= _SECONDS_BETWEEN_SWEEPS:
            self._swept_at = time.monotonic()
            self._reader.sweep(drained_cursors())
            self._online.check_readers()

    def _publish(self) -> None:
        """A process that died may have committed what it did not tell any more: everybody is evaluated as it begins."""
        cursors = drained_cursors()
        if cursors:
            self._online.publish_meta(_places(cursors))


class _Failed(Exception):
    """It is logged."""


def _followed(places: Mapping[str, str]) -> dict[str, str]:
    """The same of membership and answers."""
    return {name.replace("drained/", "published/"): place for name, place in places.items()}


def _places(cursors: Mapping[int, Cursor]) -> dict[str, str]:
    return {f"drained/{slot}": f"{cursor.file}:{cursor.seq}" for slot, cursor in cursors.items()}
