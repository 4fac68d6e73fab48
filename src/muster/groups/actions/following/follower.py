"""The follower: held by the control process, told who was touched, and what time it is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyroaring import BitMap

from muster.customers.hooks import current_warehouse
from muster.engine.changes import Change
from muster.engine.context import Context
from muster.engine.evaluate import Evaluation, members_from
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.following.asking import Answer, People, ask_few, ask_many
from muster.groups.actions.following.clock import Clock
from muster.groups.actions.following.foreseen import Foreseen
from muster.groups.actions.following.kept import Memory, Prepared
from muster.groups.actions.following.listed import Lists, Relisted
from muster.groups.actions.following.storing import Found, store_found
from muster.groups.actions.following.upkeep import Upkeep
from muster.groups.actions.lists import rematch_known
from muster.groups.actions.membership import refresh_groups
from muster.groups.errors import Overtaken
from muster.groups.terms import Cause
from muster.kernel.clock import system_clock
from muster.warehouse.port import Person

_ATTEMPTS = 10
_SECONDS_FOR_TURNS = 3.0
# What a value that nobody foresaw may raise: it may cost time, but not hold up everybody who comes after it.
_OF_VALUES = (ArithmeticError, ValueError, TypeError)
logger = logging.getLogger("muster.following")


@dataclass(frozen=True)
class Sizes:
    """`few`: so many customers are asked by the reference engine. `share`: of more of all customers than this everybody
    is evaluated. `ranks_share`: after so many of all were touched, where ranks begin is found anew, at most every
    `ranks_pause`."""

    few: int = 100
    share: float = 0.07
    ranks_share: float = 0.05
    ranks_pause: timedelta = timedelta(minutes=1)


@dataclass(frozen=True)
class Standing:
    """Who is in which group at an instant, and by which plans; `mark`: of who was followed by then."""

    prepared: Prepared
    context: Context
    members: Mapping[str, BitMap]
    mark: int


class Follower:
    """Any thread may call it; one cycle at a time. Outside of a transaction: it waits for those of others."""

    def __init__(self, sizes: Sizes = Sizes()) -> None:
        self._sizes = sizes
        self._lock = threading.RLock()
        self._turned = threading.Condition()
        self._turns = 0
        self._memory = Memory()
        self._lists = Lists()
        self._clock = Clock()
        self._foreseen = Foreseen()
        self._upkeep = Upkeep()
        self._populations: dict[str | None, BitMap] = {}
        self._populated: tuple[object, ...] = ()
        # Whom nobody has evaluated since they were touched, or since time has changed them.
        self._waiting = BitMap()
        self._due = BitMap()
        self._touched = BitMap()
        self._ranked_at = float("-inf")
        self._ranks_cost = 0.0

    def begin(self, now: datetime | None = None) -> None:
        """Evaluates everybody: nobody knows what was drained, or how time went by, before this process."""
        with self._lock:
            self._whole(Cause.DATA, now or system_clock())

    def follow(self, touched: BitMap, now: datetime | None = None, data_as_of: datetime | None = None) -> None:
        """Evaluates exactly these customers again in every group, and stores what changed (cause `data`). `data_as_of`:
        what the warehouse says of itself, where the caller knows.

        What fails is taken up again with the next call; so is whoever was followed while others evaluated everybody,
        and whose facts were derived late.
        """
        with self._lock:
            self._memory.data_as_of = data_as_of
            self._waiting |= touched | FOLLOWED.take_again() | current_warehouse().take_settled()
            if self._waiting:
                self._take_up(self._waiting, Cause.DATA, now or system_clock())
                self._touched |= self._waiting
                self._waiting = BitMap()

    def takes(self, touched: BitMap) -> bool:
        """Whether to follow these is less work than to evaluate everybody."""
        return len(touched) <= self._sizes.few or len(touched) <= self._sizes.share * current_warehouse().highest_key()

    def advance(self, now: datetime | None = None) -> None:
        """Evaluates whoever may have changed by the passing of time alone (cause `time`); nearly free where nobody."""
        here = now or system_clock()
        with self._lock:
            self.follow(BitMap(), here)
            self._memory.renew()
            if self._memory.settings_changed:
                self._whole(Cause.FULL, here)
                self._memory.settings_changed = False
            self._due |= self._clock.due(self._memory, here)
            if self._due:
                self._take_up(self._due, Cause.TIME, here)
                self._due = BitMap()
            if self._ranks_are_due():
                self._whole(Cause.DATA, here)
            self._upkeep.tidy(self._memory)
        with self._turned:
            self._turns += 1
            self._turned.notify_all()

    @property
    def next_at(self) -> datetime | None:
        """When `advance` has something to do at the latest, if nobody stores or touches anything; None: at once."""
        return self._clock.next_at

    # Whether it is right

    def stand(self, now: datetime | None = None) -> Standing:
        """All that is known is taken up; who is where then."""
        with self._lock:
            here = now or system_clock()
            self.advance(here)
            memory = self._memory
            members = {identifier: group.members.copy() for identifier, group in memory.groups.items()}
            return Standing(memory.prepared, memory.context.at(here), members, FOLLOWED.mark())

    def await_turns(self, seconds: float = _SECONDS_FOR_TURNS) -> None:
        """Returns once whoever advances it has done so twice, or after so long: what was written, but not told yet, has
        been followed then."""
        with self._turned:
            wanted = self._turns + 2
            self._turned.wait_for(lambda: self._turns >= wanted, seconds)

    def mend(self, keys: BitMap, now: datetime | None = None) -> int:
        """Evaluates these customers again, although nobody touched them (cause `full`); how many memberships it
        changed."""
        with self._lock:
            return self._take_up(keys, Cause.FULL, now or system_clock())

    # One cycle

    def _take_up(self, keys: BitMap, cause: Cause, now: datetime) -> int:
        """Answers how many memberships changed."""
        for attempt in range(_ATTEMPTS):
            self._memory.renew()
            try:
                return self._cycle(keys, cause, now)
            except Overtaken:
                if attempt + 1 == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _cycle(self, keys: BitMap, cause: Cause, now: datetime) -> int:
        # Before anything is read: see `Followed.note`.
        FOLLOWED.note(keys)
        if not self.takes(keys):
            self._whole(cause, now)
            return 0
        if not self._memory.groups:
            return 0
        self._count_populations(now)
        people = People.of(keys)
        relisted = self._lists.named(self._memory.groups.values(), people.keys.tolist())
        answer = self._ask(people, relisted, now)
        found = self._found(people, answer, relisted)
        store_found(self._memory, found, cause, now)
        self._note(people, answer)
        self._upkeep.note(found)
        return sum(len(change.joined) + len(change.left) for change in found.changes.values())

    def _ask(self, people: People, relisted: Mapping[str, Relisted], now: datetime) -> Answer:
        memory = self._memory

        def outside(group: str) -> int:
            if group in relisted:
                return people.mask(relisted[group].members)
            kept = memory.groups.get(group)
            return people.mask(kept.members) if kept is not None else 0

        def read(keys: Sequence[int]) -> Mapping[int, Person]:
            return self._foreseen.people(keys, memory.prepared, self._clock.coming)

        until = self._clock.until(now)
        if len(people.keys) <= self._sizes.few:
            try:
                return ask_few(people, memory, now, until, outside, read)
            except _OF_VALUES:
                logger.exception("the reference engine failed: the compiled conditions are asked instead")
        return ask_many(people, memory, now, until, outside)

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
        self._clock.add(answer.soon)

    def _whole(self, cause: Cause, now: datetime) -> None:
        """Everybody: where ranks begin is found anew."""
        began = time.monotonic()
        rematch_known(cause)
        refresh_groups(cause=cause, now=now)
        self._memory.renew()
        self._touched = BitMap()
        self._ranked_at = time.monotonic()
        self._ranks_cost = self._ranked_at - began

    def _ranks_are_due(self) -> bool:
        if not self._memory.prepared.has_ranks or not self._touched:
            return False
        # However large the installation is, it does other things most of the time.
        pause = max(self._sizes.ranks_pause.total_seconds(), 50 * self._ranks_cost)
        if time.monotonic() - self._ranked_at < pause:
            return False
        return len(self._touched) > self._sizes.ranks_share * current_warehouse().highest_key()

    def _count_populations(self, now: datetime) -> None:
        """Who may be in segments at all, by app: read once, and followed from there."""
        memory, asked = self._memory, current_warehouse()
        apps = frozenset(one.app for one in memory.prepared.definitions.values())
        stands = (FOLLOWED.begun_anew, apps, memory.rules)
        if stands == self._populated:
            return
        with asked.reader() as reader:
            everybody = Evaluation(memory.context.at(now), asked, reader, asked.highest_key() + 1, members_from({}))
            self._populations = {app: everybody.population(app).to_roaring() for app in apps}
        self._populated = stands
