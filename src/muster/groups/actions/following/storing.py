"""One cycle's changes in one transaction: beside the files where they are small, as the next file where one is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from muster.customers.hooks import current_warehouse
from muster.engine.changes import Change
from muster.groups.actions.following.kept import Kept, Memory
from muster.groups.actions.generations import delta_row, write_deltas, write_file
from muster.groups.actions.memory import remember_all
from muster.groups.hooks import announce
from muster.groups.models import Group
from muster.groups.queries.evaluation import membership_files
from muster.groups.terms import Cause, Kind, State, state_of_size

_SIZED = (State.ACTIVE, State.INACTIVE)


@dataclass(frozen=True)
class Found:
    """What a cycle found: who joined and left, by group; sizes of populations by app; entries that are pending no more,
    by known group."""

    changes: Mapping[str, Change]
    populations: Mapping[str | None, int]
    pending: Mapping[str, int] = field(default_factory=dict)


def store_found(memory: Memory, found: Found, cause: Cause, now: datetime) -> None:
    """`Overtaken`, and nothing stored, if others have stored since the memory was renewed; it is kept in step."""
    changes = {one: change for one, change in found.changes.items() if change}
    following: list[_Following] = []
    with transaction.atomic():
        # Whoever stores later sees that these customers were followed, whoever stored before is seen here.
        memory.check_unchanged()
        _note_populations(memory, found.populations)
        if changes:
            following = _members_stored(memory, changes, found.pending)
            remember_all({one.group.id: (one.change, one.size) for one in following}, cause, now)
            _write(following, memory.data_as_of or current_warehouse().data_as_of())
            announce(changes)
    _remember(memory, found, following)


@dataclass(frozen=True)
class _Following:
    """What becomes of a group by a change of its members. `pending`: None where it stays."""

    group: Kept
    change: Change
    size: int
    state: State
    generation: int
    pending: int | None

    @property
    def is_folded(self) -> bool:
        """Whether all members are the next file."""
        return self.generation != self.group.generation


def _members_stored(memory: Memory, changes: Mapping[str, Change], pending: Mapping[str, int]) -> list[_Following]:
    deltas, following = [], []
    for identifier, change in changes.items():
        group = memory.groups[identifier]
        size = len(group.members) + len(change.joined) - len(change.left)
        sized = group.kind == Kind.SEGMENT and group.state in _SIZED
        state = state_of_size(size, memory.minimum_size) if sized else group.state
        delta = delta_row(identifier, group.generation, group.delta.then(change), group.file_bytes)
        generation = group.generation
        if delta is None:
            generation += 1
            write_file(identifier, generation, change.applied_to(group.members), membership_files())
        else:
            deltas.append(delta)
        following.append(_Following(group, change, size, state, generation, pending.get(identifier)))
    write_deltas(deltas)
    if any(one.is_folded for one in following):
        membership_files().sync()
    return following


def _write(following: Sequence[_Following], as_of: datetime | None) -> None:
    told = connection.ops.adapt_datetimefield_value(as_of)
    with connection.cursor() as cursor:
        cursor.executemany(
            _UPDATE, [(one.size, told, one.state, one.generation, one.pending, one.group.id) for one in following]
        )


# An event may move somebody in or out of dozens of groups: to have Django put it together for each takes ten times as
# long.
_UPDATE = """
UPDATE groups_group SET size = %s, data_as_of = %s, state = %s, generation = %s,
    pending_count = coalesce(%s, pending_count)
WHERE id = %s"""


def _note_populations(memory: Memory, populations: Mapping[str | None, int]) -> None:
    for app, size in populations.items():
        grown = [one.id for one in memory.groups.values() if one.available not in (None, size) and _is_of(one, app)]
        if grown:
            Group.objects.filter(id__in=grown).update(available_customers=size)


def _is_of(group: Kept, app: str | None) -> bool:
    return group.kind == Kind.SEGMENT and group.app == app


def _remember(memory: Memory, found: Found, following: Sequence[_Following]) -> None:
    for one in following:
        group = one.group
        group.take(one.change)
        group.state = one.state
        group.pending = group.pending if one.pending is None else one.pending
        if one.is_folded:
            group.generation = one.generation
            group.delta = Change(type(group.members)(), type(group.members)())
            group.file_bytes = membership_files().bytes_of(group.id, group.generation)
    for group in memory.groups.values():
        if group.kind == Kind.SEGMENT and group.app in found.populations:
            group.available = found.populations[group.app]
    memory.note_stored([one.group.id for one in following])
