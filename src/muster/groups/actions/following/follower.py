"""The follower: held by the control process, told who was touched, and what time it is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyroaring import BitMap

from muster.customers.queries import warehouse
from muster.engine.changes import Change
from muster.engine.evaluate import Evaluation, members_from
from muster.engine.expiry import Turnings, micros_of, turnings
from muster.engine.follow.schedule import HORIZON, Schedule
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.following.asking import Answer, People, ask_few, ask_many
from muster.groups.actions.following.kept import Memory
from muster.groups.actions.following.listed import Lists, Relisted
from muster.groups.actions.following.storing import Found, store_found
from muster.groups.actions.lists import rematch_known
from muster.groups.actions.membership import refresh_groups
from muster.groups.errors import Overtaken
from muster.groups.terms import Cause
from muster.kernel.clock import system_clock

logger = logging.getLogger("muster.following")

_ATTEMPTS = 10


@dataclass(frozen=True)
class Sizes:
    """`few`: so many customers are asked by the reference engine. `share`: of more of all customers than this everybody
    is evaluated. `ranks_share`: after so many of all were touched, where ranks begin is found anew, at most every
    `ranks_pause`."""

    few: int = 100
    share: float = 0.07
    ranks_share: float = 0.05
    ranks_pause: timedelta = timedelta(minutes=1)


@dataclass
class Tally:
    """Since the process began; for metrics."""

    cycles: int = 0
    customers: int = 0
    whole: int = 0
    disagreements: int = 0


class Follower:
    """Any thread may call it; one cycle at a time. Outside of a transaction: it waits for those of others."""

    def __init__(self, sizes: Sizes = Sizes()) -> None:
        self._sizes = sizes
        self._lock = threading.RLock()
        self._memory = Memory()
        self._lists = Lists()
        self._schedule: Schedule | None = None
        self._scheduled: tuple[object, ...] = ()
        self._populations: dict[str | None, BitMap] = {}
        self._populated: tuple[object, ...] = ()
        self._waiting = BitMap()
        self._touched = BitMap()
        self._ranked_at = float("-inf")
        self._ranks_cost = 0.0
        self.tally = Tally()

    def begin(self, now: datetime | None = None) -> None:
        """Evaluates everybody: nobody knows what was drained, or how time went by, before this process."""
        with self._lock:
            self._whole(Cause.DATA, now or system_clock())

    def follow(self, touched: BitMap, now: datetime | None = None) -> None:
        """Evaluates exactly these customers again in every group, and stores what changed (cause `data`).

        What fails is taken up again with the next call; so is whoever was followed while others evaluated everybody.
        """
        with self._lock:
            self._waiting |= touched
            self._waiting |= FOLLOWED.take_again()
            if self._waiting:
                self._take_up(self._waiting, Cause.DATA, now or system_clock())
                self._touched |= self._waiting
                self._waiting = BitMap()

    def advance(self, now: datetime | None = None) -> None:
        """Evaluates whoever may have changed by the passing of time alone (cause `time`); nearly free where nobody."""
        with self._lock:
            here = now or system_clock()
            self.follow(BitMap(), here)
            self._memory.renew()
            if self._memory.settings_changed:
                self._memory.settings_changed = False
                self._whole(Cause.FULL, here)
            due = self._due(here)
            if due:
                self._take_up(due, Cause.TIME, here)
            if self._ranks_are_due():
                self._whole(Cause.DATA, here)

    @property
    def next_at(self) -> datetime | None:
        """When `advance` has something to do at the latest, if nobody stores or touches anything; None: at once."""
        schedule = self._schedule
        return None if schedule is None else schedule.next_at

    # One cycle

    def _take_up(self, keys: BitMap, cause: Cause, now: datetime) -> None:
        for attempt in range(_ATTEMPTS):
            self._memory.renew()
            try:
                self._cycle(keys, cause, now)
            except Overtaken:
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                self.tally.cycles += 1
                self.tally.customers += len(keys)
                return

    def _cycle(self, keys: BitMap, cause: Cause, now: datetime) -> None:
        # Before anything is read: see `Followed.note`.
        FOLLOWED.note(keys)
        if len(keys) > self._sizes.few and len(keys) > self._sizes.share * warehouse().highest_key():
            self._whole(cause, now)
            return
        if not self._memory.groups:
            return
        self._count_populations(now)
        people = People.of(keys)
        relisted = self._lists.named(self._memory.groups.values(), people.keys.tolist())
        answer = self._ask(people, relisted, now)
        found = self._found(people, answer, relisted)
        store_found(self._memory, found, cause, now)
        self._note(people, answer)

    def _ask(self, people: People, relisted: Mapping[str, Relisted], now: datetime) -> Answer:
        memory = self._memory
        # Without a schedule there will be one, by a look at everybody.
        until = self._schedule.until if self._schedule is not None else now

        def outside(group: str) -> int:
            if group in relisted:
                return people.mask(relisted[group].members)
            kept = memory.groups.get(group)
            return people.mask(kept.members) if kept is not None else 0

        ask = ask_few if len(people.keys) <= self._sizes.few else ask_many
        return ask(people, memory.prepared, memory.context.at(now), until, outside)

    def _found(self, people: People, answer: Answer, relisted: Mapping[str, Relisted]) -> Found:
        changes: dict[str, Change] = {}
        pending: dict[str, int] = {}
        for group in self._memory.groups.values():
            before = people.mask(group.members)
            if group.id in answer.outcome.members:
                after = answer.outcome.members[group.id]
            elif group.id in relisted:
                after = people.mask(relisted[group.id].members)
                pending[group.id] = max(group.pending - relisted[group.id].entries, 0)
            else:
                # It cannot be evaluated, and keeps its members; but whoever was merged or erased is in no group.
                after = before & answer.known
            if before != after:
                changes[group.id] = people.change(before, after)
        sizes = {}
        for app, mask in answer.outcome.populations.items():
            inside = self._populations[app]
            before = people.mask(inside)
            sizes[app] = len(inside) + (mask & ~before).bit_count() - (before & ~mask).bit_count()
        return Found(changes, sizes, {one: count for one, count in pending.items() if one in changes})

    def _note(self, people: People, answer: Answer) -> None:
        """Once it is stored."""
        for app, mask in answer.outcome.populations.items():
            change = people.change(people.mask(self._populations[app]), mask)
            self._populations[app] |= change.joined
            self._populations[app] -= change.left
        if self._schedule is not None:
            self._schedule.add(zip(answer.soon.at.tolist(), answer.soon.keys.tolist(), strict=True))

    def _whole(self, cause: Cause, now: datetime) -> None:
        """Everybody: where ranks begin is found anew."""
        began = time.monotonic()
        rematch_known(cause)
        refresh_groups(cause=cause, now=now)
        self._memory.renew()
        self._touched = BitMap()
        self._ranked_at = time.monotonic()
        self._ranks_cost = self._ranked_at - began
        self.tally.whole += 1

    def _ranks_are_due(self) -> bool:
        if not self._memory.prepared.has_ranks or not self._touched:
            return False
        # However large the installation is, it does other things most of the time.
        pause = max(self._sizes.ranks_pause.total_seconds(), 50 * self._ranks_cost)
        if time.monotonic() - self._ranked_at < pause:
            return False
        return len(self._touched) > self._sizes.ranks_share * warehouse().highest_key()

    # Time

    def _due(self, now: datetime) -> BitMap:
        """Everybody who may have changed by time since the last time this was asked."""
        memory, schedule = self._memory, self._schedule
        stands = (FOLLOWED.begun_anew, memory.prepared)
        if schedule is not None and stands == self._scheduled and schedule.passed <= now <= schedule.until:
            return schedule.take(now)
        instants = [memory.evaluated_from, schedule.passed if schedule is not None else None, now]
        known = [instant for instant in instants if instant is not None]
        # Where the clock was set back, whoever changed after what is now the present changes back.
        start, end = min(known), max(known)
        until = max(now + HORIZON, end)
        found = self._look_around(start, until)
        ahead = found.at > micros_of(now)
        self._schedule = Schedule(Turnings(found.keys[ahead], found.at[ahead]), now, until)
        self._scheduled = stands
        memory.evaluated_from = None
        return BitMap(found.keys[found.at <= micros_of(end)])

    def _look_around(self, start: datetime, until: datetime) -> Turnings:
        """Who of everybody may change between two instants, and when."""
        prepared, asked = self._memory.prepared, warehouse()
        with asked.reader() as reader:
            return turnings(prepared.sources, self._memory.context.at(until), asked, reader, start, until)

    def _count_populations(self, now: datetime) -> None:
        """Who may be in segments at all, by app: read once, and followed from there."""
        memory, asked = self._memory, warehouse()
        apps = frozenset(memory.prepared.apps.values())
        stands = (FOLLOWED.begun_anew, apps, memory.rules)
        if stands == self._populated:
            return
        with asked.reader() as reader:
            everybody = Evaluation(memory.context.at(now), asked, reader, asked.highest_key() + 1, members_from({}))
            self._populations = {app: everybody.population(app).to_roaring() for app in apps}
        self._populated = stands
