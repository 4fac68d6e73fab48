"""The thread that sends webhooks in the control process, until there is a process for it."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from django.db import close_old_connections, connection

from muster.kernel.clock import system_clock
from muster.webhooks import hooks
from muster.webhooks.actions.sending import Due, due_messages, next_due, note_outcomes, switch_off_overrun
from muster.webhooks.channels.requests import Outcome

if TYPE_CHECKING:
    from muster.webhooks.channels.sending import Sender

logger = logging.getLogger("muster.webhooks")

MOST_AT_A_HOST = 4
"""Requests to one host at once: a receiver that hangs takes no more than these."""
_LONGEST_REST = timedelta(seconds=30)
_BETWEEN_COUNTS = timedelta(minutes=1)
_SECONDS_AFTER_FAILURE = 1.0


class WebhookThread:
    """Runs until `close`. What it hears of deliveries is written down before anything else is begun."""

    def __init__(self) -> None:
        self._sender: Sender | None = None
        self._under_way: dict[str, Due] = {}
        self._finished: dict[str, tuple[datetime, Outcome]] = {}
        self._changed = threading.Condition()
        self._poked = True
        self._closing = False
        self._counted_at: datetime | None = None
        self._thread = threading.Thread(target=self._loop, name="webhooks", daemon=True)

    def start(self) -> None:
        hooks.pokes.append(self.poke)
        self._thread.start()

    def poke(self) -> None:
        with self._changed:
            self._poked = True
            self._changed.notify_all()

    def close(self) -> None:
        """Requests under way are broken off: whoever runs next sends them again."""
        hooks.pokes.remove(self.poke)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _loop(self) -> None:
        try:
            while not self._closing:
                try:
                    rest = self._work()
                except Exception:
                    logger.exception("webhooks could not be sent; it is tried again")
                    rest = timedelta(seconds=_SECONDS_AFTER_FAILURE)
                    self._poked = False
                close_old_connections()
                self._wait(rest)
        finally:
            if self._sender is not None:
                self._sender.close()
            with suppress(Exception):
                self._note()
            connection.close()

    def _work(self) -> timedelta:
        """One round; answers how long there is nothing to do if nobody pokes."""
        with self._changed:
            self._poked = False
        gathered = self._gather()
        self._note()
        now = system_clock()
        if self._counted_at is None or now - self._counted_at >= _BETWEEN_COUNTS:
            self._counted_at = now
            switch_off_overrun()
        for due in due_messages(self._under_way, self._room, now):
            self._begin(due, now)
        due_at = (at for at in (gathered, next_due(now, self._under_way), now + _LONGEST_REST) if at is not None)
        return max(min(due_at) - now, timedelta(0))

    def _gather(self) -> datetime | None:
        """What rooms kept back; when the rest of it is due. One that cannot holds nobody up."""
        found = []
        for gather in hooks.gatherers:
            try:
                found.append(gather())
            except Exception:
                logger.exception("events could not be gathered; it is tried again")
                found.append(system_clock() + timedelta(seconds=_SECONDS_AFTER_FAILURE))
        return min((at for at in found if at is not None), default=None)

    def _note(self) -> None:
        with self._changed:
            finished = dict(self._finished)
        if not finished:
            return
        note_outcomes(finished)
        with self._changed:
            for identifier in finished:
                del self._finished[identifier]
                del self._under_way[identifier]

    def _room(self, host: str) -> int:
        return MOST_AT_A_HOST - Counter(due.host for due in self._under_way.values())[host]

    def _begin(self, due: Due, now: datetime) -> None:
        if self._sender is None:
            from muster.webhooks.channels.sending import Sender  # noqa: PLC0415 - most never send, and it takes long

            self._sender = Sender(hooks.opened_networks(), f"Muster/{version('muster-groups')}")
        self._under_way[due.message.id] = due
        self._sender.send(due.message, partial(self._finish, due.message.id, now))

    def _finish(self, identifier: str, began: datetime, outcome: Outcome) -> None:
        with self._changed:
            self._finished[identifier] = (began, outcome)
            self._poked = True
            self._changed.notify_all()

    def _wait(self, rest: timedelta) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._poked or self._closing, rest.total_seconds())


@contextmanager
def sending_webhooks() -> Iterator[None]:
    thread = WebhookThread()
    thread.start()
    try:
        yield
    finally:
        thread.close()
