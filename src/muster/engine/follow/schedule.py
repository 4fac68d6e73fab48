"""Who may change by time alone within the next hour, in memory: nobody else is looked at as time goes by (G-15)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from pyroaring import BitMap

from muster.engine.context import Context
from muster.engine.expiry import MOST_MIDNIGHTS, Turnings, micros_of
from muster.engine.reference.values import property_value
from muster.engine.turning import Source, Sources, birthdays_between, days_between
from muster.warehouse.port import Person

HORIZON = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Schedule:
    """What is to come in (`passed`, `until`]: found by a look at everybody, and added to as people are touched."""

    def __init__(self, turnings: Turnings, passed: datetime, until: datetime) -> None:
        order = np.argsort(turnings.at, kind="stable")
        self._at = turnings.at[order]
        self._keys = turnings.keys[order]
        self._place = 0
        self._added: list[tuple[int, int]] = []
        self.passed = passed
        self.until = until

    def add(self, turnings: Iterable[tuple[int, int]]) -> None:
        """Pairs of an instant (microseconds since 1970) after now and a customer."""
        for pair in turnings:
            heapq.heappush(self._added, pair)

    def take(self, now: datetime) -> BitMap:
        """Everybody whose instant has come; `now` is the past from here on."""
        reached = micros_of(now)
        end = int(np.searchsorted(self._at, reached, side="right"))
        due = BitMap(self._keys[self._place : end])
        self._place = max(self._place, end)
        while self._added and self._added[0][0] <= reached:
            due.add(heapq.heappop(self._added)[1])
        self.passed = now
        return due

    def coming(self, most: int) -> BitMap:
        """Up to so many customers whose instants come next, of those found by the look at everybody."""
        return BitMap(self._keys[self._place : self._place + most])

    @property
    def next_at(self) -> datetime:
        """The first instant at which anybody may change, or at which the schedule ends."""
        instants = [micros_of(self.until)]
        if self._place < len(self._at):
            instants.append(int(self._at[self._place]))
        if self._added:
            instants.append(self._added[0][0])
        return _EPOCH + timedelta(microseconds=min(instants))


def turnings_of(
    people: Iterable[Person], sources: Sources, context: Context, until: datetime
) -> Iterator[tuple[int, int]]:
    """The instants within (now, until] at which these customers may change, out of their own rows; with their keys."""
    listed = list(people)
    for source, laters in sources.items():
        for later in laters:
            instants = _instants_of(source, later, context, until)
            for person in listed:
                for at in {at for moment in _moments(person, source) for at in instants(moment)}:
                    yield micros_of(at), person.customer_key


def _instants_of(
    source: Source, later: timedelta, context: Context, until: datetime
) -> Callable[[Any], Iterable[datetime]]:
    """Of a moment the instants within (now, until] at which a truth may change."""
    if source.kind == "instant":
        # What it is compared with is moved, not the moment: of that anybody may have said the end of all years.
        first, last = context.now - later, until - later
        return lambda moment: (moment + later,) if first < moment <= last else ()
    if source.kind == "birth":
        births = birthdays_between(context.now, until, context)
        return lambda moment: (births[moment % 10_000],) if moment % 10_000 in births else ()
    days = days_between(context.now, until, later, context)
    if source.kind == "daily":
        midnights = sorted(days.values())[:MOST_MIDNIGHTS]
        return lambda _moment: midnights
    by_day = {_EPOCH.date() + timedelta(days=number): at for number, at in days.items()}
    return lambda moment: (by_day[moment],) if moment in by_day else ()


def _moments(person: Person, source: Source) -> Iterator[Any]:
    match source.relation:
        case "events":
            found: Iterable[Any] = _occurrences(person, source)
        case "holdings":
            found = (one.expires_at for one in person.holdings)
        case "profiles":
            found = (person.profile.get(source.name),)
        case "app_facts":
            found = (row.get(source.name) for row in person.app_facts.values())
        case _:
            found = (row.get(source.name) for row in person.devices)
    for moment in found:
        if moment is not None:
            yield moment


def _occurrences(person: Person, source: Source) -> Iterator[Any]:
    for event in person.events:
        if event.event == source.name:
            told = source.told
            yield property_value(event.properties, told.path, told.type) if told else event.happened_at
