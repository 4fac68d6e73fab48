"""Publishes for the edge what apps may be told of groups: who is in, who is who, what an app is answered (section 7).

What is published is always read from where it is kept, under one lock: whoever tells of a change only says where to
look. So it does not matter in which order changes are told, and the last word on everybody is the one that holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pyarrow as pa
from pyroaring import BitMap

from muster.catalog.queries import apps, published_keys
from muster.customers.hooks import current_warehouse
from muster.engine.changes import Change
from muster.groups.actions.memory import last_changes
from muster.groups.models import Group
from muster.groups.queries.evaluation import stored_members
from muster.groups.queries.exposure import Exposed, exposed_groups, is_published
from muster.online.aside import GivenUp
from muster.online.port import EXTERNAL, Plan, PlanGroup, identity_digest
from muster.online.publication import Column, Identity, Moved, Publication, Readers, Writer
from muster.warehouse.batch import Merge
from muster.warehouse.subject import Subject

Told = tuple[str, int, str, int]
"""Kind, app (0 of external ids), text, customer."""
Progress = Callable[[int, int], None]
_ATTEMPTS = 5


@dataclass
class _Gathered:
    """What one thread has to publish, until its block ends."""

    touched: dict[str, BitMap] = field(default_factory=dict)
    identities: dict[Identity, int | None] = field(default_factory=dict)
    forgotten: BitMap = field(default_factory=BitMap)
    meta: dict[str, str] = field(default_factory=dict)
    data_as_of: datetime | None = None
    depth: int = 0


class _Gathering(threading.local):
    now: _Gathered | None = None


class Publisher:
    """One of a process, for the online store that it alone writes. Any thread may call it."""

    def __init__(self, online: Writer) -> None:
        self._online = online
        self._lock = threading.RLock()
        self._columns = online.columns()
        self._plans: dict[int, Plan] | None = None
        self._mine = _Gathering()
        self._beaten_at: float | None = None
        self.is_behind = False
        """Whether something could not be published that should have been: the next `repair` finds it."""

    # What is told of changes

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """What this thread tells in the block is published at its end, at once (E-33); nothing, if it fails."""
        gathered = self._mine.now or _Gathered()
        self._mine.now = gathered
        gathered.depth += 1
        try:
            yield
            if gathered.depth == 1:
                self._publish(gathered)
        except BaseException:
            self.is_behind = True
            raise
        finally:
            gathered.depth -= 1
            if not gathered.depth:
                self._mine.now = None

    def memberships_changed(self, changes: Mapping[str, Change]) -> None:
        """Of groups by id, after they were stored."""
        with self.as_one():
            gathered = self._gathered
            for group, change in changes.items():
                gathered.touched[group] = gathered.touched.get(group, BitMap()) | change.joined | change.left

    def cycle(
        self,
        identities: Iterable[Told],
        merges: Iterable[Merge] = (),
        meta: Mapping[str, str] | None = None,
        data_as_of: datetime | None = None,
    ) -> None:
        """What a cycle of the drain, or an import, has brought: identities that are new or another's; who was merged
        into somebody is nobody any more. `meta`: how far slots are followed, and drained."""
        with self.as_one():
            gathered = self._gathered
            gathered.identities |= {Identity(kind, app, text): key for kind, app, text, key in identities}
            gathered.forgotten |= BitMap(merge.loser for merge in merges)
            gathered.meta |= meta or {}
            gathered.data_as_of = data_as_of or gathered.data_as_of

    def identities_changed(self, identities: Sequence[Told], merges: Sequence[Merge]) -> None:
        if identities or merges:
            self.cycle(identities, merges)

    def forget(self, subject: Subject) -> None:
        """Who is being erased is in nothing, and known by no name, when this returns (E-35)."""
        with self.as_one():
            gathered = self._gathered
            for kind, app, text in subject.names():
                if kind != "email":
                    gathered.identities[Identity(kind, app, text)] = None
            gathered.forgotten |= subject.keys

    def named(self, subject: Subject) -> int:
        """How many names of theirs still lead to somebody; being in a published group counts as one."""
        view = self._online.view()
        with view.snapshot() as now:
            names = (name for name in subject.names() if name[0] != "email")
            return sum(now.customer(identity_digest(*name)) is not None for name in names) + sum(
                bool(now.mask(key)) for key in subject.keys
            )

    def exposure_changed(self) -> None:
        """Groups are published from now on, no more, or differently; or there is another app."""
        with self._lock, self._behind_if_it_fails():
            if self._online.state.complete:
                self._follow()

    def keys_changed(self) -> None:
        """At once, before the call that changed them returns (E-35)."""
        with self._lock, self._behind_if_it_fails():
            self._online.publish_keys(published_keys())
        self.exposure_changed()

    @contextmanager
    def _behind_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.is_behind = True
            raise

    def beat(self) -> None:
        self._online.beat()
        self._beaten_at = time.monotonic()

    @property
    def seconds_since_beat(self) -> float:
        """0 before the first."""
        return 0 if self._beaten_at is None else time.monotonic() - self._beaten_at

    # The whole

    def rebuild(self, progress: Progress | None = None) -> None:
        """Everything anew from warehouse and membership files, beside what is published until it is done (E-38)."""
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            with suppress(GivenUp) if not last else _nothing_suppressed():
                self._rebuild(progress)
                return

    def _rebuild(self, progress: Progress | None) -> None:
        with self._lock:
            columns = _columns_for(exposed_groups(), self._columns)
            aside = self._online.rebuild(1 + max((one.bit for one in columns.values()), default=0))
            # Whoever publishes from now on publishes by these bits, and is applied again at the end.
            self._online.publish(Publication(columns=columns))
            self._columns = columns
        try:
            aside.put_masks(_members(self._columns), progress)
            aside.put_identities(_every_identity())
            with self._lock:
                exposed = exposed_groups()
                columns, publication = self._difference(exposed)
                plans = self._plans_of(exposed, columns)
                aside.switch(replace(publication, plans=plans, data_as_of=_now_as_of()))
                self._columns, self._plans = columns, plans
        except BaseException:
            # Columns of new groups are there by now, and nobody in them.
            self.is_behind = True
            aside.give_up()
            raise

    def follow(self) -> None:
        """Publishes exactly the groups that should be; those that were stay as they are."""
        with self._lock:
            self._follow()

    def _follow(self) -> None:
        exposed = exposed_groups()
        columns, publication = self._difference(exposed)
        plans = self._plans_of(exposed, columns)
        if publication.columns or plans != self._plans:
            self._online.publish(replace(publication, plans=plans))
            # Not before: of what could not be published nothing may be taken as published.
            self._columns, self._plans = columns, plans

    def _difference(self, exposed: Sequence[Exposed]) -> tuple[dict[str, Column], Publication]:
        """The columns that there will be; those of groups that are new, and of those that are published no more."""
        before, columns = self._columns, _columns_for(exposed, self._columns)
        new = {group: column for group, column in columns.items() if group not in before}
        gone = {group: None for group in before if group not in columns}
        numbers = _change_numbers(new)
        new = {group: Column(column.bit, numbers.get(group, 0)) for group, column in new.items()}
        return columns | new, Publication(whole=_members(new), columns={**new, **gone})

    def _plans_of(self, exposed: Sequence[Exposed], columns: Mapping[str, Column]) -> dict[int, Plan]:
        return {
            app.number: Plan(
                tuple(
                    PlanGroup(one.id, one.key, columns[one.id].bit, one.exposure, one.guarded)
                    for one in exposed
                    if one.app in (None, app.key)
                )
            )
            for app in apps()
        }

    # Whether what is published is what it should be

    def check(self) -> dict[str, int]:
        """How many customers are published wrongly, by the key of the group, and the identities too many or too few
        (`identities`); empty if all is right."""
        suspected = self._suspected()
        with self._lock:
            wrong = self._wrong(suspected)
        keys = dict(Group.objects.filter(id__in=wrong).values_list("id", "key"))
        found = {keys.get(group, group): count for group, (count, _) in wrong.items()}
        missing = abs(current_warehouse().identity_count() - self._online.identity_count())
        return found | ({"identities": missing} if missing else {})

    def status(self) -> dict[str, object]:
        """Facts in plain JSON: of what is published now."""
        state, view = self._online.state, self._online.view()
        return {
            "complete": state.complete,
            "generation": state.generation,
            "groups": len(self._columns),
            "identities": self._online.identity_count(),
            "mask_bytes": state.width,
            "used_bytes": self._online.used_bytes(),
            "data_as_of": state.data_as_of or None,
            "published_at": state.published_at or None,
            "heartbeat_at": view.meta("heartbeat_at"),
        }

    def readers(self) -> Readers:
        return self._online.readers()

    def bits_of(self, customer: int) -> set[str]:
        """Ids of the groups that the store finds a customer in."""
        with self._lock, self._online.view().snapshot() as now:
            mask = now.mask(customer)
            return {group for group, column in self._columns.items() if mask >> column.bit & 1}

    def repair(self) -> dict[str, int]:
        """Publishes anew keys, plans and what `check` finds, and answers that."""
        self.is_behind = False
        if not self._online.state.complete:
            self.rebuild()
        with self._lock, self._behind_if_it_fails():
            self._online.publish_keys(published_keys())
            self._columns, self._plans = self._online.columns(), None
            self._follow()
        found = self.check()
        if found:
            suspected = self._suspected()
            with self._lock:
                wrong = self._wrong(suspected)
                whole = {self._columns[group].bit: members for group, (_, members) in wrong.items()}
                self._online.publish(Publication(whole=whole))
            self.take_up_identities()
        return found

    def _suspected(self) -> list[str]:
        """Groups that did not look right while they may have been changing."""
        return list(self._wrong(list(self._columns)))

    def _wrong(self, groups: Collection[str]) -> dict[str, tuple[int, BitMap]]:
        """Of each of these groups that is published wrongly: with how many, and who should be."""
        columns = {group: self._columns[group] for group in groups if group in self._columns}
        published = self._online.members([column.bit for column in columns.values()]) if columns else {}
        should = _members(columns)
        return {
            group: (len(should[column.bit] ^ published[column.bit]), should[column.bit])
            for group, column in columns.items()
            if should[column.bit] != published[column.bit]
        }

    def take_up_identities(self) -> None:
        """Compares every identity, and publishes what nobody told of: after an import was undone, or a process died."""
        for batch in current_warehouse().identities():
            differing = self._online.differing(_identities_in(batch))
            if differing:
                with self._lock:
                    # As they are by now: what was read may have been overtaken.
                    now = current_warehouse().identities_of(_wanted(differing))
                    current = dict(found for part in now.to_batches() for found in _identities_in(part))
                    self._online.publish(Publication(identities={one: current.get(one) for one in differing}))
        if self._online.identity_count() > current_warehouse().identity_count():
            self.rebuild()

    # Publishing

    @property
    def _gathered(self) -> _Gathered:
        assert self._mine.now is not None
        return self._mine.now

    def _publish(self, gathered: _Gathered) -> None:
        with self._lock:
            moved, columns, as_of = self._moved(gathered.touched)
            publication = Publication(
                moved=moved,
                identities=gathered.identities,
                forgotten=gathered.forgotten,
                columns=columns,
                meta=gathered.meta,
                data_as_of=_told(gathered.data_as_of or as_of),
            )
            if moved or gathered.identities or gathered.forgotten or gathered.data_as_of:
                self._online.publish(publication)
                self._columns |= columns
            elif gathered.meta:
                self._online.publish_meta(gathered.meta)

    def _moved(self, touched: Mapping[str, BitMap]) -> tuple[dict[int, Moved], dict[str, Column], datetime | None]:
        """Of those who may have joined or left, whether they are in now."""
        published = {group: keys for group, keys in touched.items() if group in self._columns}
        if not published:
            return {}, {}, None
        rows = _standing(list(published))
        moved = {}
        for group, keys in published.items():
            row = rows.get(group)
            members = stored_members(row) if row is not None and is_published(row) else BitMap()
            moved[self._columns[group].bit] = Moved(keys & members, keys - members)
        numbers = _change_numbers(published)
        columns = {group: Column(self._columns[group].bit, numbers.get(group, 0)) for group in published}
        as_of = max((row.data_as_of for row in rows.values() if row.data_as_of), default=None)
        return moved, columns, as_of


def _standing(groups: Sequence[str]) -> dict[str, Group]:
    """What of these groups decides whether they are published, and where their members are."""
    marks = ", ".join(["%s"] * len(groups))
    return {row.id: row for row in Group.objects.raw(_STANDING.format(marks=marks), groups)}


# Every cycle asks this: to have Django put it together anew takes ten times as long as the answer.
_STANDING = "SELECT id, generation, exposure, state, data_as_of FROM groups_group WHERE id IN ({marks})"


def _columns_for(exposed: Sequence[Exposed], before: Mapping[str, Column]) -> dict[str, Column]:
    """Who has a bit keeps it; the others get the lowest that are free."""
    kept = {one.id: before[one.id] for one in exposed if one.id in before}
    taken = {column.bit for column in kept.values()}
    free = (bit for bit in range(len(exposed) + len(taken)) if bit not in taken)
    return {one.id: kept.get(one.id) or Column(next(free), 0) for one in exposed}


def _members(columns: Mapping[str, Column]) -> dict[int, BitMap]:
    """Everybody who is in these groups now, by bit."""
    rows = {row.id: row for row in Group.objects.filter(id__in=columns)}
    return {column.bit: stored_members(rows[group]) if group in rows else BitMap() for group, column in columns.items()}


def _change_numbers(groups: Iterable[str]) -> dict[str, int]:
    """The newest change that each group remembers (G-17)."""
    return {group: change.id for group, change in last_changes(groups).items()}


def _every_identity() -> Iterator[tuple[Identity, int]]:
    for batch in current_warehouse().identities():
        yield from _identities_in(batch)


def _identities_in(batch: pa.RecordBatch) -> Iterator[tuple[Identity, int]]:
    columns = (batch.column(name).to_pylist() for name in ("kind", "app_key", "text", "customer_key"))
    for kind, app, text, key in zip(*columns, strict=True):
        yield Identity(kind, 0 if kind == EXTERNAL else app, text), key


def _wanted(identities: Sequence[Identity]) -> pa.Table:
    return pa.table(
        {
            "kind": pa.array([one.kind for one in identities], pa.string()),
            "app_key": pa.array([one.app for one in identities], pa.uint16()),
            "text": pa.array([one.text for one in identities], pa.string()),
        }
    )


def _now_as_of() -> str | None:
    return _told(current_warehouse().data_as_of())


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@contextmanager
def _nothing_suppressed() -> Iterator[None]:
    yield


_provided: list[Publisher] = []


def provide_publisher(publisher: Publisher | None) -> None:
    """Of this process; None when its store is closed."""
    _provided[:] = [] if publisher is None else [publisher]


def current_publisher() -> Publisher | None:
    """None where nothing is published: in a process that does not own the installation."""
    return _provided[0] if _provided else None
