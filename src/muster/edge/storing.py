"""Between the event loop and the spool's thread: a request waits, without a thread of its own, until it is on disk."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from muster.edge.errors import spool_full, stopping, storage_failed
from muster.edge.published import Published
from muster.edge.settings import EdgeSettings
from muster.spool.entries import Entry
from muster.spool.slots import take_slot
from muster.spool.writer import Settled, SpoolWriter

Waiter = asyncio.Future[int] | None


class Storing:
    """Takes a slot, and owns its file until `close`."""

    def __init__(self, settings: EdgeSettings, published: Published, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._is_ending = False
        self._published = published
        self._poke_at = settings.poke
        self.on_commit: Callable[[int, float], None] = lambda _entries, _seconds: None
        self._poke = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._poke.setblocking(False)
        slot = take_slot(settings.spool_directory)
        drained = published.drained(slot.number)
        self.slot = slot.number
        self._writer: SpoolWriter[Waiter] = SpoolWriter(
            slot,
            self._settle,
            self._say_so,
            first_seq=drained[1] + 1 if drained else 1,
            largest_bytes=max(settings.largest_spool_bytes // settings.processes, 1),
            least_free_bytes=settings.least_free_bytes,
        )

    @property
    def is_full(self) -> bool:
        return self._writer.is_full

    async def store(self, entry: Entry) -> str:
        """On disk when it returns; its position. 429 `spool_full`, 503 `storage_failed` or `stopping`."""
        if self._is_ending:
            raise stopping()
        if self._writer.is_full:
            raise spool_full()
        waiter: asyncio.Future[int] = self._loop.create_future()
        self._writer.append(entry, waiter)
        # Whoever goes away does not take it back: it may be on disk already. Then nobody waits for the answer.
        seq = await waiter
        if seq < 0:
            raise storage_failed()
        return f"{self.slot}.{seq}"

    def store_soon(self, entry: Entry) -> None:
        """With the next commit; nobody waits for it (E-17)."""
        if not self._writer.is_full and not self._is_ending:
            self._writer.append(entry, None)

    def forget_drained(self) -> None:
        """What the warehouse has need not stay: once a second."""
        drained = self._published.drained(self.slot)
        if drained is not None and drained[0] == self._writer.file_id:
            self._writer.forget_until(drained[1])

    def end(self) -> None:
        """Nothing more is taken in: what came later would wait for ever. On the event loop, before `close`."""
        self._is_ending = True

    def close(self) -> None:
        self._writer.close()
        self._poke.close()

    def _settle(self, settled: Sequence[Settled[Waiter]]) -> None:
        self._loop.call_soon_threadsafe(_answer, settled)

    def _say_so(self, entries: int, seconds: float) -> None:
        """Control looks by itself every second: whether it hears is no matter."""
        self.on_commit(entries, seconds)
        with suppress(OSError):
            self._poke.sendto(b".", self._poke_at)


def _answer(settled: Sequence[Settled[Waiter]]) -> None:
    for one in settled:
        if one.ticket is not None and not one.ticket.done():
            one.ticket.set_result(-1 if one.seq is None else one.seq)
