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

from muster.customers.actions.drain import Drain, drained_cursors
from muster.customers.actions.facts import announce_change
from muster.customers.hooks import spool_emptiers
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
# Who comes first is seen at once, others after a while: each time is a whole refresh so far.
_SECONDS_BETWEEN_REFRESHES = 10.0


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
        self._refreshed_at = self._swept_at = float("-inf")
        self._is_stale = False
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
            while not self._closing.is_set() and (done := self._drain.cycle()) is not None:
                self._online.publish_meta(_places(done.cursors))
                self._is_stale = self._is_stale or bool(done.items)
                self._refresh()
            self._refresh()
            self._sweep()
        except Exception:
            logger.exception("the spool could not be drained; it is tried again")
            raise _Failed from None

    def _wait(self) -> None:
        if self._closing.is_set():
            return
        select.select([self._poked], [], [], _SECONDS_BETWEEN_LOOKS)
        with suppress(BlockingIOError):
            while True:
                self._poked.recv(64)

    def _refresh(self) -> None:
        if self._is_stale and time.monotonic() - self._refreshed_at >= _SECONDS_BETWEEN_REFRESHES:
            announce_change()
            self._is_stale = False
            self._refreshed_at = time.monotonic()

    def _sweep(self) -> None:
        if time.monotonic() - self._swept_at >= _SECONDS_BETWEEN_SWEEPS:
            self._swept_at = time.monotonic()
            self._reader.sweep(drained_cursors())
            self._online.check_readers()

    def _publish(self) -> None:
        """A process that died may have committed what it did not tell any more."""
        cursors = drained_cursors()
        if cursors:
            self._online.publish_meta(_places(cursors))


class _Failed(Exception):
    """It is logged."""


def _places(cursors: Mapping[int, Cursor]) -> dict[str, str]:
    return {f"drained/{slot}": f"{cursor.file}:{cursor.seq}" for slot, cursor in cursors.items()}
