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
from muster.online.writer import OnlineWriter
from muster.spool.reading import Cursor, SpoolReader
from muster.wiring.configuration import Configuration

logger = logging.getLogger("muster.drain")

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_SWEEPS = 60.0
# Who comes first is seen at once, others after a while: each time is a whole refresh so far.
_SECONDS_BETWEEN_REFRESHES = 10.0


class DrainThread:
    """Runs until `close`. Edge processes poke it after each commit; it looks by itself every second."""

    def __init__(self, configuration: Configuration, online: OnlineWriter) -> None:
        self._reader = SpoolReader(configuration.spool_directory)
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
        self._thread.start()

    def close(self) -> None:
        """The cycle under way is finished."""
        self._closing.set()
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as poke:
            poke.sendto(b".", str(self._path))
        if self._thread.is_alive():
            self._thread.join()
        self._poked.close()
        self._path.unlink(missing_ok=True)
        self._reader.close()

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
