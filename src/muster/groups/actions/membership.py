"""Who is in: evaluates segments, and swaps what was found for what was there, with the memory of the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from pyroaring import BitMap

from muster.catalog.queries import publisher
from muster.engine.bitset import Bitset
from muster.engine.membership import MembershipFiles
from muster.engine.refresh import Progress, Refreshed, groups_of, refresh
from muster.groups.actions.memory import remember
from muster.groups.models import Group
from muster.groups.queries.evaluation import (
    definition_of,
    evaluation,
    membership_files,
    stored_members,
    vocabulary,
)
from muster.groups.queries.pointers import current_generations
from muster.groups.terms import EVALUATED, Cause, Kind, State, state_of_size
from muster.kernel.errors import MusterError
from muster.rules.canonical import condition_hash
from muster.rules.nodes import Definition

# What an evaluation finds out, of all that a row says.
EVALUATION = (
    "generation", "size", "available_customers", "thresholds", "state", "failure", "data_as_of", "refreshed_at",
)  # fmt: skip  # a table


@dataclass(frozen=True)
class Evaluated:
    """What a refresh found, before it is stored."""

    refreshed: Refreshed
    data_as_of: datetime | None
    at: datetime


def evaluate(
    definitions: dict[str, Definition],
    progress: Progress | None = None,
    now: datetime | None = None,
    instead: Mapping[str, BitMap] | None = None,
) -> Evaluated:
    """Evaluates definitions by group id. `instead`: members of other groups that are about to change."""
    with evaluation(now, instead) as asked:
        refreshed = refresh(definitions, asked, progress)
        return Evaluated(refreshed, asked.warehouse.data_as_of(), asked.context.now)


def refresh_groups(progress: Progress | None = None, cause: Cause = Cause.FULL, now: datetime | None = None) -> int:
    """A full recompute of every evaluated segment; answers how many. Groups saved meanwhile keep their newer state."""
    rows = list(Group.objects.filter(kind=Kind.SEGMENT, state__in=EVALUATED))
    if not rows:
        return 0
    revisions = {row.id: row.revision for row in rows}
    evaluated = evaluate(_readable(rows), progress, now)
    with transaction.atomic():
        current = [
            row
            for row in Group.objects.filter(id__in=evaluated.refreshed.results, state__in=EVALUATED)
            if row.revision == revisions[row.id] and not (row.refreshed_at and row.refreshed_at > evaluated.at)
        ]
        store(current, evaluated, cause)
    return len(current)


def store(rows: list[Group], evaluated: Evaluated, cause: Cause) -> None:
    """Writes the next generation of each row, remembers who joined and left, and points the row to it.

    Inside the caller's transaction, which holds the database's write lock: two refreshes never write one generation.
    """
    files = membership_files()
    minimum = publisher().minimum_size
    thresholds = [
        {"condition": condition_hash(ranked.condition), "app": ranked.population.app, "value": value}
        for ranked, value in evaluated.refreshed.thresholds.items()
    ]
    for row in rows:
        _point(row, files, evaluated, minimum, cause)
        row.thresholds = thresholds
    files.sync()
    for row in rows:
        # A row that is not there yet is inserted by the caller; of the others only what was found out is written.
        Group.objects.filter(id=row.id).update(**{name: getattr(row, name) for name in EVALUATION})


def next_generation(row: Group, members: Bitset, files: MembershipFiles, cause: Cause, at: datetime) -> None:
    """Writes the members of the next generation and remembers the change; the caller syncs, and saves the row."""
    row.generation = Group.objects.filter(id=row.id).values_list("generation", flat=True).first() or 0
    before = stored_members(row)
    row.generation += 1
    files.prune(row.id, row.generation)
    files.write(row.id, row.generation, members)
    remember(row, before, members.to_roaring(), cause, at)
    row.size = len(members)


def _point(row: Group, files: MembershipFiles, evaluated: Evaluated, minimum: int, cause: Cause) -> None:
    result = evaluated.refreshed.results[row.id]
    next_generation(row, result.members, files, cause, evaluated.at)
    row.available_customers = len(result.population)
    row.state = state_of_size(len(result.members), minimum)
    row.failure = ""
    row.data_as_of = evaluated.data_as_of
    row.refreshed_at = evaluated.at


def unchanged(rows: list[Group]) -> list[Group]:
    """The rows as they are now, without those that somebody edited or archived while they were evaluated."""
    revisions = {row.id: row.revision for row in rows}
    current = Group.objects.filter(id__in=revisions, state__in=EVALUATED)
    return [row for row in current if row.revision == revisions[row.id]]


def saved_definition(row: Group) -> Definition:
    return definition_of(row, vocabulary())


def dependants_of(row: Group) -> list[Group]:
    """Segments that refer to the group, directly or through others: they follow it in the same refresh (G-9)."""
    words = vocabulary()
    others = {one: definition_of(one, words) for one in Group.objects.filter(state__in=EVALUATED, kind=Kind.SEGMENT)}
    found: dict[str, Group] = {}
    waiting = [row.id]
    while waiting:
        current = waiting.pop()
        for other, definition in others.items():
            if other.id not in found and other.id != row.id and current in set(groups_of(definition)):
                found[other.id] = other
                waiting.append(other.id)
    return list(found.values())


def _readable(rows: list[Group]) -> dict[str, Definition]:
    """Definitions by group. One that names what is gone fails alone; its last good membership stays in use."""
    words = vocabulary()
    found = {}
    for row in rows:
        try:
            found[row.id] = definition_of(row, words)
        except MusterError as error:
            reason = f"{error.code}: {error.message}"
            Group.objects.filter(id=row.id, revision=row.revision).update(state=State.FAILED, failure=reason)
    return found


def sweep_memberships() -> int:
    """At the start: removes membership files that no group points to. Answers how many."""
    return membership_files().sweep(current_generations())


def begin_memory() -> int:
    """At the start: groups that an older Muster evaluated remember their members as of then. Answers how many."""
    rows = list(Group.objects.filter(generation__gt=0, changes__isnull=True))
    with transaction.atomic():
        for row in rows:
            remember(row, BitMap(), stored_members(row), Cause.FULL, row.refreshed_at or row.created_at)
    return len(rows)
