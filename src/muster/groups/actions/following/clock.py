"""Who changes by the passing of time alone: looked for among everybody once an hour, known exactly between."""

from __future__ import annotations

from datetime import datetime

from pyroaring import BitMap

from muster.customers.hooks import current_warehouse
from muster.engine.expiry import Turnings, micros_of, turnings
from muster.engine.follow.schedule import HORIZON, Schedule
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.following.kept import Memory


class Clock:
    def __init__(self) -> None:
        self._schedule: Schedule | None = None
        self._stands: tuple[object, ...] = ()

    @property
    def next_at(self) -> datetime | None:
        return None if self._schedule is None else self._schedule.next_at

    def until(self, now: datetime) -> datetime:
        """How far ahead whoever is evaluated now is to be looked at. Where nobody was looked at yet, everybody will."""
        return now if self._schedule is None else self._schedule.until

    def coming(self, most: int) -> BitMap:
        """Up to so many of those whose time comes next."""
        return BitMap() if self._schedule is None else self._schedule.coming(most)

    def add(self, soon: Turnings) -> None:
        """Customers who were evaluated, and when they will change."""
        if self._schedule is not None:
            self._schedule.add(zip(soon.at.tolist(), soon.keys.tolist(), strict=True))

    def due(self, memory: Memory, now: datetime) -> BitMap:
        """Everybody who may have changed by time since the last time this was asked."""
        schedule = self._schedule
        stands = (FOLLOWED.begun_anew, memory.prepared)
        if schedule is not None and stands == self._stands and schedule.passed <= now <= schedule.until:
            return schedule.take(now)
        instants = [memory.evaluated_from, schedule.passed if schedule is not None else None, now]
        known = [instant for instant in instants if instant is not None]
        # Where the clock was set back, whoever changed after what is now the present changes back.
        start, end = min(known), max(known)
        until = max(now + HORIZON, end)
        found = _look_around(memory, start, until)
        ahead = found.at > micros_of(now)
        self._schedule = Schedule(Turnings(found.keys[ahead], found.at[ahead]), now, until)
        self._stands = stands
        memory.evaluated_from = None
        return BitMap(found.keys[found.at <= micros_of(end)])


def _look_around(memory: Memory, start: datetime, until: datetime) -> Turnings:
    """Who of everybody may change between two instants, and when."""
    asked = current_warehouse()
    with asked.reader() as reader:
        return turnings(memory.prepared.sources, memory.context.at(until), asked, reader, start, until)
