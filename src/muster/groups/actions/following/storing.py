"""One cycle's changes in one transaction: beside the files where they are small, as the next file where one is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

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
    folded: dict[str, int] = {}
    states: dict[str, State] = {}
    with transaction.atomic():
        # Whoever stores later sees that these customers were followed, whoever stored before is seen here.
        memory.check_unchanged()
        _note_populations(memory, found.populations)
        if changes:
            seen = memory.data_as_of or current_warehouse().data_as_of()
            sizes = {one: _size_after(memory.groups[one], change) for one, change in changes.items()}
            remember_all({one: (change, sizes[one]) for one, change in changes.items()}, cause, now)
            deltas = []
            for identifier, change in changes.items():
                group, size = memory.groups[identifier], sizes[identifier]
                values: dict[str, Any] = {"size": size, "data_as_of": seen}
                if group.kind == Kind.SEGMENT and group.state in _SIZED:
                    values["state"] = states[identifier] = state_of_size(size, memory.minimum_size)
                if identifier in found.pending:
                    values["pending_count"] = found.pending[identifier]
                delta = delta_row(identifier, group.generation, group.delta.then(change), group.file_bytes)
                if delta is None:
                    values["generation"] = folded[identifier] = _fold(group, change)
                else:
                    deltas.append(delta)
                Group.objects.filter(id=identifier).update(**values)
            write_deltas(deltas)
            if folded:
                membership_files().sync()
            announce(changes)
    _remember(memory, found, changes, folded, states)


def _size_after(group: Kept, change: Change) -> int:
    return len(group.members) + len(change.joined) - len(change.left)


def _fold(group: Kept, change: Change) -> int:
    """All members as the next file."""
    write_file(group.id, group.generation + 1, change.applied_to(group.members), membership_files())
    return group.generation + 1


def _note_populations(memory: Memory, populations: Mapping[str | None, int]) -> None:
    for app, size in populations.items():
        grown = [one.id for one in memory.groups.values() if one.available not in (None, size) and _is_of(one, app)]
        if grown:
            Group.objects.filter(id__in=grown).update(available_customers=size)


def _is_of(group: Kept, app: str | None) -> bool:
    return group.kind == Kind.SEGMENT and group.app == app


def _remember(
    memory: Memory,
    found: Found,
    changes: Mapping[str, Change],
    folded: Mapping[str, int],
    states: Mapping[str, State],
) -> None:
    for identifier, change in changes.items():
        group = memory.groups[identifier]
        group.take(change)
        group.state = states.get(identifier, group.state)
        group.pending = found.pending.get(identifier, group.pending)
        if identifier in folded:
            group.generation = folded[identifier]
            group.delta = Change(type(group.members)(), type(group.members)())
            group.file_bytes = membership_files().bytes_of(identifier, group.generation)
    for group in memory.groups.values():
        if group.kind == Kind.SEGMENT and group.app in found.populations:
            group.available = found.populations[group.app]
    memory.note_stored(changes)
