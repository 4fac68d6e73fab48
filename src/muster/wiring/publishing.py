"""What the edge answers from, while an installation is open: told of every change, made anew where it must be."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import close_old_connections, connection
from pyroaring import BitMap

from muster.catalog import hooks as catalog
from muster.customers import hooks as customers
from muster.customers.hooks import current_warehouse
from muster.groups import hooks as groups
from muster.groups.actions.publication import Publisher, provide_publisher
from muster.online.writer import OnlineWriter
from muster.wiring.configuration import Configuration

logger = logging.getLogger("muster.online")

# Whoever changes something says so; what could not be published is tried again with the next look.
_SECONDS_BETWEEN_LOOKS = 5.0
# Shorter than after what time the edge says that the data ages.
_SECONDS_BETWEEN_BEATS = 20.0
_SECONDS_BETWEEN_TRIES = 10.0


@contextmanager
def publishing(configuration: Configuration, *, serves: bool) -> Iterator[OnlineWriter]:
    """Keys, groups and identities as they are, and whenever they change (E-35). Only who `serves` compares all of it,
    and makes it anew where it is not there: a command leaves at once."""
    online = OnlineWriter(configuration.online_directory)
    publisher = Publisher(online)
    upkeep = Upkeep(publisher, online)
    told: list[tuple[list[Any], Any]] = [
        (catalog.keys_changed, publisher.keys_changed),
        (groups.memberships_changed, publisher.memberships_changed),
        (groups.exposure_changed, publisher.exposure_changed),
        (customers.identities_changed, publisher.identities_changed),
        (customers.data_changed, upkeep.look_soon),
    ]
    for hook, called in told:
        hook.append(called)
    provide_publisher(publisher)
    try:
        publisher.keys_changed()
        if serves:
            upkeep.start()
        yield online
        upkeep.close()
    finally:
        upkeep.stop()
        provide_publisher(None)
        for hook, called in told:
            hook.remove(called)
        online.close()


class Upkeep:
    """Compares at the start, and takes up what nobody told of; says that control is alive."""

    def __init__(self, publisher: Publisher, online: OnlineWriter) -> None:
        self._publisher, self._online = publisher, online
        self._closing = threading.Event()
        self._is_due = threading.Event()
        self._woken = threading.Event()
        self._is_settled = False
        self._thread = threading.Thread(target=self._loop, name="online", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look_soon(self, _touched: BitMap | None) -> None:
        """Data has changed, perhaps in a way that nobody tells of: an import was undone."""
        self._is_due.set()
        self._woken.set()

    def close(self) -> None:
        """What is due is done first, also where no thread runs."""
        self.stop()
        if self._online.state.complete:
            self._look()

    def stop(self) -> None:
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        beaten_at = float("-inf")
        try:
            while not self._closing.is_set():
                pause = _SECONDS_BETWEEN_LOOKS
                self._woken.clear()
                try:
                    self._settle()
                    self._look()
                    if time.monotonic() - beaten_at >= _SECONDS_BETWEEN_BEATS:
                        self._publisher.beat()
                        beaten_at = time.monotonic()
                except Exception:
                    logger.exception("what the edge answers from could not be published; it is tried again")
                    self._is_settled = False
                    pause = _SECONDS_BETWEEN_TRIES
                close_old_connections()
                if not self._closing.is_set():
                    self._woken.wait(pause)
        finally:
            connection.close()

    def _settle(self) -> None:
        """A process that died may not have told what it stored."""
        if self._is_settled and not self._publisher.is_behind:
            return
        found = self._publisher.repair()
        if found:
            # Of a process that was killed that is to be expected; the daily check tells of it in its job.
            logger.debug("published anew, because it was not as it should be: %s", found)
        self._is_settled = True

    def _look(self) -> None:
        if self._is_due.is_set():
            self._is_due.clear()
            if current_warehouse().identity_count() != self._online.identity_count():
                self._publisher.take_up_identities()
