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

from muster.catalog.queries import keep_catalog
from muster.customers.actions.drain import Drain, Drained, drained_cursors
from muster.customers.hooks import current_warehouse, spool_emptiers
from muster.groups.actions.following import Follower, provide_follower
from muster.groups.actions.publication import Publisher, current_publisher
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.metrics.figures import counter, durations
from muster.online.writer import OnlineWriter
from muster.spool.reading import Cursor, SpoolReader
from muster.wiring.configuration import Configuration
from muster.wiring.operation.spool import recover_soon

logger = logging.getLogger("muster.drain")


_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_SWEEPS = 60.0
# The edge looks once a second how far the warehouse came.
_SECONDS_TO_EMPTY = 30.0
_SECONDS_BETWEEN_TRIES = 0.1
# What came alone is derived once nothing else has come for a look, or after so long.
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
        told = "From the first request of a cycle until answers include it"
        self._decided = durations("muster_event_to_decision_seconds", told)
        self._counted = counter("muster_drained_items_total", "Items by what became of them", ("verdict",))
        self._untold: list[Drained] = []
        self._swept_at = float("-inf")
        self._thread = threading.Thread(target=self._loop, name="drain", daemon=True)

    def start(self) -> None:
        self._publish()
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
        self._swept_at = float("-inf")
        reader = SpoolReader(self._directory)
        try:
            there = reader.newest()
            deadline = time.monotonic() + _SECONDS_TO_EMPTY
            while reader.holds(there):
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
            # Where no more of them fit it is poked already.
            poke.setblocking(False)
            poke.sendto(b".", str(self._path))

    def _loop(self) -> None:
        try:
            while not self._closing.is_set():
                # What failed is tried again, and what waits behind it looked at again, a second later.
                try:
                    self._work()
                    self._wait()
                except Exception:
                    logger.exception("the spool could not be drained, or groups could not follow; it is tried again")
                    # It may be to blame. While all is well it stays open: to open it costs as much as a cycle.
                    connection.close()
                    self._closing.wait(_SECONDS_BETWEEN_LOOKS)
        finally:
            connection.close()

    def _work(self) -> None:
        if not self._has_begun:
            self._begin()
        self._repair()
        while not self._closing.is_set() and (done := self._drain.cycle()) is not None:
            self._untold.append(done)
            self._tell()
        self._tell()
        # What time alone changes; microseconds, if it is nobody's time and nobody has stored anything.
        self._follower.advance()
        self._sweep()

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
        # Who joined and left may be stored, and then not told.
        self._is_unsure = True
        with publisher.as_one():
            touched = settled
            for done in self._untold:
                touched |= done.outcome.touched
                self._cycle(publisher, done)
            as_of = max((done.received_at for done in self._untold), default=None)
            self._follower.follow(touched, data_as_of=as_of)
        self._is_unsure = False
        # Members were stored, and no words.
        keep_catalog()
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

    def _repair(self) -> None:
        publisher = current_publisher()
        if self._is_unsure and publisher is not None:
            publisher.repair()
            self._is_unsure = False

    def _wait(self) -> None:
        """Until somebody pokes, time changes somebody, or it looks by itself."""
        if self._closing.is_set():
            return
        due = self._follower.next_at
        ahead = _SECONDS_BETWEEN_LOOKS if due is None else (due - system_clock()).total_seconds()
        seconds = min(max(ahead, 0.0), _SECONDS_BETWEEN_LOOKS)
        poked, _, _ = select.select([self._poked], [], [], seconds)
        with suppress(BlockingIOError):
            while True:
                self._poked.recv(64)
        self._settle(is_quiet=not poked and seconds == _SECONDS_BETWEEN_LOOKS)

    def _settle(self, *, is_quiet: bool) -> None:
        """Derives what came alone: otherwise whoever asks for facts next waits for it."""
        asked = current_warehouse()
        if not asked.is_late:
            self._late_since = None
            return
        self._late_since = self._late_since or time.monotonic()
        if is_quiet or time.monotonic() - self._late_since > _MOST_SECONDS_LATE:
            asked.settle()
            self._late_since = None

    def _sweep(self) -> None:
        if time.monotonic() - self._swept_at >= _SECONDS_BETWEEN_SWEEPS:
            self._swept_at = time.monotonic()
            self._reader.sweep(drained_cursors())
            recover_soon()
            self._online.check_readers()

    def _publish(self) -> None:
        """A process that died may have committed what it did not tell any more: everybody is evaluated as it begins."""
        cursors = drained_cursors()
        if cursors:
            self._online.publish_meta(_places(cursors))


def _followed(places: Mapping[str, str]) -> dict[str, str]:
    """The same of membership and answers."""
    return {name.replace("drained/", "published/"): place for name, place in places.items()}


def _places(cursors: Mapping[int, Cursor]) -> dict[str, str]:
    return {f"drained/{slot}": f"{cursor.file}:{cursor.seq}" for slot, cursor in cursors.items()}
