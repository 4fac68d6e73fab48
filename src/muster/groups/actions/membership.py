"""Who is in: evaluates segments, and swaps what was found for what was there, with the memory of the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction
from pyroaring import BitMap

from muster.catalog.queries import publisher
from muster.engine.changes import Change
from muster.engine.membership import MembershipFiles
from muster.engine.refresh import Progress, Refreshed, groups_of, refresh
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.generations import next_generation
from muster.groups.actions.memory import remember
from muster.groups.errors import Overtaken
from muster.groups.hooks import announce
from muster.groups.models import Group
from muster.groups.queries.evaluation import (
    definition_of,
    evaluation,
    membership_files,
    stored_members,
    vocabulary,
)
from muster.groups.queries.pointers import current_generations
from muster.groups.queries.standing import Standing, standing
from muster.groups.terms import EVALUATED, Cause, Kind, State, state_of_size
from muster.kernel.errors import MusterError
from muster.kernel.worded import worded
from muster.rules.canonical import condition_hash
from muster.rules.nodes import Definition
from muster.rules.vocabulary import Vocabulary

# What an evaluation finds out, of all that a row says.
EVALUATION = (
    "generation",
    "evaluations",
    "size",
    "available_customers",
    "thresholds",
    "state",
    "failure",
    "data_as_of",
    "refreshed_at",
)


# Others who store without end would hold somebody up without end.
_ATTEMPTS = 10

P = ParamSpec("P")
R = TypeVar("R")
Changes = dict[str, Change]
"""Who joined and who left, by group id."""


@dataclass(frozen=True)
class Evaluated:
    """What a refresh found, before it is stored."""

    refreshed: Refreshed
    data_as_of: datetime | None
    at: datetime
    names: dict[str, set[str]]
    """Of each group that was evaluated those its definition names."""
    rests_on: Standing
    """As all groups were when it began."""
    mark: int
    """Of who was followed before it began."""


def evaluate(
    definitions: dict[str, Definition],
    progress: Progress | None = None,
    now: datetime | None = None,
    instead: Mapping[str, BitMap] | None = None,
) -> Evaluated:
    """Evaluates definitions by group id. `instead`: members of other groups that are about to change."""
    names = {one: set(groups_of(definition)) for one, definition in definitions.items()}
    mark = FOLLOWED.mark()
    rests_on = standing()
    with evaluation(now, instead) as asked:
        refreshed = refresh(definitions, asked, progress)
        return Evaluated(refreshed, asked.warehouse.data_as_of(), asked.context.now, names, rests_on, mark)


def overtaken(evaluated: Evaluated) -> set[str]:
    """Those evaluated whose result may hold no longer: they, or what they name, were stored by somebody else since."""
    now, before = standing(), evaluated.rests_on
    changed = {one for one in now.keys() | before.keys() if now.get(one) != before.get(one)}
    while more := {one for one, named in evaluated.names.items() if one not in changed and named & changed}:
        changed |= more
    return changed & evaluated.names.keys()


def again_if_overtaken(action: Callable[P, R]) -> Callable[P, R]:
    """Reads, evaluates and stores anew when somebody else has stored what it rests on in between."""

    @wraps(action)
    def until_settled(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_ATTEMPTS - 1):
            try:
                return action(*args, **kwargs)
            except Overtaken:
                continue
        return action(*args, **kwargs)

    return until_settled


def refresh_groups(progress: Progress | None = None, cause: Cause = Cause.FULL, now: datetime | None = None) -> int:
    """A full recompute of every evaluated segment; answers how many. What was overtaken is evaluated again."""
    refreshed: set[str] = set()
    rows = list(Group.objects.filter(kind=Kind.SEGMENT, state__in=EVALUATED))
    for _ in range(_ATTEMPTS):
        if not rows:
            break
        evaluated = evaluate(readable(rows), progress, now)
        with transaction.atomic():
            late = overtaken(evaluated)
            followed = FOLLOWED.since(evaluated.mark)
            if followed is None:
                late, followed = set(evaluated.names), BitMap()
            found = evaluated.refreshed.results.keys() - late
            current = list(Group.objects.filter(id__in=found, state__in=EVALUATED))
            announce(_write(current, evaluated, cause, followed, same=True))
        refreshed.update(row.id for row in current)
        rows = list(Group.objects.filter(id__in=late, state__in=EVALUATED))
    FOLLOWED.begin_anew()
    return len(refreshed)


def store(rows: list[Group], evaluated: Evaluated, cause: Cause) -> Changes:
    """Writes what was evaluated, inside the caller's transaction; `Overtaken` if it rests on what is no longer so.

    Answers who joined and left, by group: the caller announces it.
    """
    followed = FOLLOWED.since(evaluated.mark)
    if followed is None or overtaken(evaluated):
        raise Overtaken("Groups that this one depends on are being changed again and again. Try again in a minute.")
    return _write(rows, evaluated, cause, followed, same=False)


def _write(rows: list[Group], evaluated: Evaluated, cause: Cause, followed: BitMap, *, same: bool) -> Changes:
    """Writes the next generation of each row, remembers who joined and left, and points the row to it.

    The transaction holds the database's write lock: two refreshes never write one generation. `followed`: who was
    taken up by the follower since the evaluation began. By the `same` definitions it found newer than this did; it
    takes them up once more, because ranks or definitions have moved.
    """
    files = membership_files()
    minimum = publisher().minimum_size
    thresholds = [
        {"condition": condition_hash(ranked.condition), "app": ranked.population.app, "value": value}
        for ranked, value in evaluated.refreshed.thresholds.items()
    ]
    changes = {}
    for row in rows:
        members = evaluated.refreshed.results[row.id].members.to_roaring()
        if same and followed:
            members = (members - followed) | (stored_members(row) & followed)
        changes[row.id] = _point(row, files, members, evaluated, minimum, cause)
        row.thresholds = thresholds
    files.sync()
    for row in rows:
        # A row that is not there yet is inserted by the caller; of the others only what was found out is written.
        Group.objects.filter(id=row.id).update(**{name: getattr(row, name) for name in EVALUATION})
    transaction.on_commit(lambda: FOLLOWED.follow_again(followed))
    return changes


def _point(
    row: Group, files: MembershipFiles, members: BitMap, evaluated: Evaluated, minimum: int, cause: Cause
) -> Change:
    change = next_generation(row, members, files, cause, evaluated.at)
    row.available_customers = len(evaluated.refreshed.results[row.id].population)
    row.state = state_of_size(len(members), minimum)
    row.failure = ""
    row.data_as_of = evaluated.data_as_of
    row.refreshed_at = evaluated.at
    return change


def still_dependants(row: Group, dependants: list[Group]) -> list[Group]:
    """The same rows as they are now; `Overtaken` if other groups refer to this one by now."""
    now = dependants_of(row)
    if {one.id for one in now} != {one.id for one in dependants}:
        raise Overtaken(worded("Groups begin and cease to refer to “{name}”. Try again in a minute.", name=row.name))
    return now


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


def readable(rows: list[Group], words: Vocabulary | None = None) -> dict[str, Definition]:
    """Definitions by group. One that names what is gone fails alone; its last good membership stays in use."""
    words = words or vocabulary()
    found = {}
    for row in rows:
        try:
            found[row.id] = definition_of(row, words)
        except MusterError as error:
            reason = f"{error.code}: {error.message}"
            failing = Group.objects.filter(id=row.id, revision=row.revision)
            failing.exclude(state=State.FAILED, failure=reason).update(state=State.FAILED, failure=reason)
    return found


def sweep_memberships() -> int:
    """At the start: removes membership files that no group points to. Answers how many."""
    return membership_files().sweep(current_generations())


def begin_memory() -> int:
    """At the start: groups that an older Muster evaluated remember their members as of then. Answers how many."""
    rows = list(Group.objects.filter(generation__gt=0, changes__isnull=True))
    with transaction.atomic():
        for row in rows:
            began = row.refreshed_at or row.created_at
            remember(row, BitMap(), stored_members(row), Cause.FULL, began, is_news=False)
    return len(rows)
