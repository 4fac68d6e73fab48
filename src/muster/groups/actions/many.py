"""The same done to many groups at once: what is possible is done, the rest is told with its reason (D-32)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from muster.audit.actions import record
from muster.groups import hooks
from muster.groups.actions.announcing import ARCHIVED, RESTORED, announce_life
from muster.groups.actions.generations import all_joined, all_left
from muster.groups.actions.membership import Changes, evaluate, store
from muster.groups.actions.segments import check_tags, remember_version
from muster.groups.errors import GroupUnknown, StateNotAllowed
from muster.groups.models import Group
from muster.groups.policies import check_can, check_unused
from muster.groups.queries.evaluation import definition_of, vocabulary
from muster.groups.queries.exposure import check_exposures
from muster.groups.queries.groups import referred_to
from muster.groups.terms import Cause, Kind, State
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.worded import word
from muster.team.policies import Principal

Tagged = tuple[str, int, list[str]]
"""Id of a group, its revision after its tags were changed, and the tags it had before."""


@dataclass(frozen=True)
class Done:
    """`changed`: what the inverse takes back. `refused`: name of the group, why not, and the error's code if any."""

    changed: list[Any] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)

    def refuse(self, name: str, error: MusterError) -> None:
        self.refused.append((name, error.message, error.code))


@transaction.atomic
def archive_many(actor: Principal, identifiers: Sequence[str]) -> Done:
    """`changed`: ids. A group that only groups of the selection use is archived after them."""
    done = Done()
    every = Group.objects.in_bulk()
    waiting = _those(identifiers, every, done)
    references = {one.id: referred_to(one.definition) for one in every.values() if one.definition is not None}
    refused: list[tuple[Group, MusterError]] = []
    left: Changes = {}
    while waiting:
        refused = []
        for row in waiting:
            try:
                check_can("archive", State(row.state), row.name)
                check_unused(row.name, _uses(row, every, references), word("group", "archived"))
            except MusterError as error:
                refused.append((row, error))
                continue
            row.state = State.ARCHIVED
            row.save(update_fields=["state"])
            record(actor, "group.archive", "group", row.id, {})
            announce_life(row, ARCHIVED)
            left[row.id] = all_left(row)
            done.changed.append(row.id)
        if len(refused) == len(waiting):
            break
        waiting = [row for row, _reason in refused]
    for row, reason in refused:
        done.refuse(row.name, reason)
    hooks.announce(left)
    hooks.announce_exposure()
    return done


@transaction.atomic
def restore_many(actor: Principal, identifiers: Sequence[str]) -> None:
    """All or none, evaluated together: segments may refer to each other. `state_conflict` names who is back already."""
    rows = _all_of(identifiers)
    for row in rows:
        if row.state != State.ARCHIVED:
            raise StateNotAllowed(_("“%(name)s” is not archived any more.") % {"name": row.name}, code="state_conflict")
        # A list needs no evaluation; who of it is a customer is asked again with the next refresh.
        row.state = State.ACTIVE if row.kind == Kind.KNOWN else State.BUILDING
        row.save(update_fields=["state"])
        record(actor, "group.restore", "group", row.id, {})
        announce_life(row, RESTORED)
    for row in rows:
        check_exposures(row)
    segments = [row for row in rows if row.kind == Kind.SEGMENT]
    if segments:
        words = vocabulary()
        store(segments, evaluate({row.id: definition_of(row, words) for row in segments}), Cause.DEFINITION)
    hooks.announce({row.id: all_joined(row) for row in rows})
    hooks.announce_exposure()


@transaction.atomic
def tag_many(actor: Principal, identifiers: Sequence[str], tag: str, *, add: bool) -> Done:
    """Adds a tag or takes it away. `changed`: `Tagged`. `value_not_allowed` where no group may have the tag."""
    if add:
        check_tags([tag])
    done = Done()
    unchanged = _("It has this tag already.") if add else _("It does not have this tag.")
    for row in _those(identifiers, Group.objects.in_bulk(identifiers), done):
        if (tag in row.tags) == add:
            done.refused.append((row.name, unchanged, ""))
            continue
        try:
            done.changed.append(_tag(actor, row, [*row.tags, tag] if add else [one for one in row.tags if one != tag]))
        except MusterError as error:
            done.refuse(row.name, error)
    return done


@transaction.atomic
def tags_back(actor: Principal, changed: Sequence[Tagged]) -> None:
    """All or none. `revision_conflict` names a group that was changed since."""
    before = {identifier: (revision, tags) for identifier, revision, tags in changed}
    for row in _all_of(list(before)):
        revision, tags = before[row.id]
        if row.revision != revision:
            raise MusterError(_("“%(name)s” was changed.") % {"name": row.name}, code="revision_conflict")
        _tag(actor, row, tags)


def _tag(actor: Principal, row: Group, tags: list[str]) -> Tagged:
    before, row.tags = row.tags, check_tags(tags)
    row.revision += 1
    row.updated_at = system_clock()
    row.save(update_fields=["tags", "revision", "updated_at"])
    remember_version(row, actor, row.updated_at)
    record(actor, "group.edited", "group", row.id, {"revision": row.revision, "fields": ["tags"]})
    return row.id, row.revision, before


def _those(identifiers: Iterable[str], there: Mapping[str, Group], done: Done) -> list[Group]:
    """The groups that are there; of the others it is told that they are not."""
    for identifier in identifiers:
        if identifier not in there:
            done.refuse(identifier, GroupUnknown(_("This group is not there any more.")))
    return [there[identifier] for identifier in dict.fromkeys(identifiers) if identifier in there]


def _all_of(identifiers: Sequence[str]) -> list[Group]:
    rows = Group.objects.in_bulk(identifiers)
    if len(rows) < len(set(identifiers)):
        raise GroupUnknown(_("One of the groups is not there any more."))
    return list(rows.values())


def _uses(row: Group, every: Mapping[str, Group], references: Mapping[str, set[str]]) -> list[hooks.Use]:
    """As `queries.groups.uses_of`, without asking the database for each."""
    names = {row.id, row.key}
    segments = [
        hooks.Use("segment", other, every[other].name)
        for other, named in references.items()
        if other != row.id and every[other].state != State.ARCHIVED and names & named
    ]
    return segments + [use for ask in hooks.used_by for use in ask(row.id)]
