"""Everything that changes a known user group: its list, and who of the list's entries is a customer (G-23 to G-28).

A list is a file a version, and a row that points to the version in force. A change writes the next file first; then
one transaction swaps the pointer, the members and those of the segments that refer to the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
from django.db import transaction
from pyroaring import BitMap

from muster.audit.actions import record
from muster.catalog.queries import publisher
from muster.customers.queries import warehouse
from muster.engine.changes import Change
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.generations import next_generation
from muster.groups.actions.membership import (
    again_if_overtaken,
    dependants_of,
    evaluate,
    saved_definition,
    still_dependants,
    store,
)
from muster.groups.actions.segments import insert_group, new_group
from muster.groups.errors import GroupInactive, ListChanged, Overtaken
from muster.groups.hooks import announce
from muster.groups.models import Group, ListVersion
from muster.groups.policies import told
from muster.groups.queries.evaluation import list_files, membership_files, stored_members
from muster.groups.queries.groups import GroupView, group, group_row
from muster.groups.queries.imports import check_restorable
from muster.groups.queries.pointers import kept_lists
from muster.groups.terms import UNDO_DAYS, Cause, Exposure, Kind, State
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.warehouse.lists.entries import EntryKind
from muster.warehouse.lists.files import BATCH_ROWS, SCHEMA

_LIST = (
    "list_version",
    "entry_count",
    "pending_count",
    "size",
    "generation",
    "evaluations",
    "refreshed_at",
    "data_as_of",
)


@dataclass(frozen=True)
class Matched:
    """Whom a version of a list names now; `mark`: of who was followed when it was asked."""

    version: int
    entries: int
    pending: int
    members: BitMap
    data_as_of: datetime | None
    at: datetime
    mark: int

    def followed_since(self) -> BitMap:
        """Who was, and may have become a customer meanwhile: they are followed once more (G-15)."""
        found = FOLLOWED.since(self.mark)
        if found is None:
            raise Overtaken("Customers are arriving faster than the list is read. Try again in a minute.")
        transaction.on_commit(lambda: FOLLOWED.follow_again(found))
        return found


def write_list(row: Group, batches: Iterable[pa.RecordBatch], source: str) -> ListVersion:
    """Writes the next version of a list beside the one in force, which stays in force."""
    newest = row.lists.first()
    version = 1 + max(row.list_version, newest.version if newest else 0)
    count = list_files().write(row.id, version, batches)
    return ListVersion(
        group=row,
        version=version,
        before=row.list_version,
        entry_count=count,
        source=source,
        made_at=system_clock(),
    )


def match(identifier: str, version: int, entries: int) -> Matched:
    """Whom the entries of a version name among the customers there are now (C-10)."""
    mark = FOLLOWED.mark()
    files, asked = list_files(), warehouse()
    customers = _names_customers(files.read(identifier, version))
    members = asked.matching_keys(files.read(identifier, version), customers=customers)
    named = sum(one.num_rows for one in asked.matching_entries(files.read(identifier, version), customers=customers))
    return Matched(version, entries, entries - named, members, asked.data_as_of(), system_clock(), mark)


def _names_customers(entries: pa.RecordBatchReader) -> bool:
    return any(pa.compute.any(pa.compute.equal(one.column("kind"), EntryKind.CUSTOMER)).as_py() for one in entries)


def put_in_force(row: Group, made: ListVersion) -> None:
    """Switches the group to a version that was written; `list_changed` if another came first."""
    _switch(row, (made.version, made.entry_count), Cause.LIST, made)


def restore_list(row: Group, source: str) -> None:
    """Back to the version before the one that `source` made, while that is the one in force (G-25)."""
    made = row.lists.filter(source=source).first()
    if made is None or (row.list_version == made.before and made.undone):
        # The import never switched the list, or this ran before.
        return
    check_restorable(row, made)
    before = row.lists.filter(version=made.before).first()
    made.undone = True
    _switch(row, (made.before, before.entry_count if before else 0), Cause.UNDO, made)


@again_if_overtaken
def _switch(row: Group, listed: tuple[int, int], cause: Cause, made: ListVersion) -> None:
    """`listed`: the version and how many entries it has."""
    matched = match(row.id, *listed)
    dependants = dependants_of(row)
    definitions = {one.id: saved_definition(one) for one in dependants}
    evaluated = evaluate(definitions, instead={row.id: matched.members}) if dependants else None
    expected = row.list_version
    with transaction.atomic():
        current = Group.objects.get(id=row.id)
        if current.list_version != expected:
            raise ListChanged(worded("“{name}” has been changed meanwhile. Run the dry run again.", name=row.name))
        following = still_dependants(row, dependants)
        # Before the list itself is another: that would overtake them.
        changes = store(following, evaluated, cause) if evaluated is not None else {}
        matched.followed_since()
        made.save()
        current.revision += 1
        announce(changes | {row.id: _take(current, matched, cause)})
        Group.objects.filter(id=row.id).update(revision=current.revision, updated_at=matched.at)


def _take(row: Group, matched: Matched, cause: Cause) -> Change:
    """The members of a matched list become those of the group; inside the caller's transaction."""
    files = membership_files()
    change = next_generation(row, matched.members, files, cause, matched.at)
    files.sync()
    row.list_version, row.entry_count, row.pending_count = matched.version, matched.entries, matched.pending
    row.data_as_of, row.refreshed_at = matched.data_as_of, matched.at
    Group.objects.filter(id=row.id).update(**{name: getattr(row, name) for name in _LIST})
    return change


def create_known(
    actor: Principal,
    *,
    name: str,
    key: str | None = None,
    tags: list[str] | None = None,
    exposure: str = Exposure.NEVER,
) -> GroupView:
    """A known user group without anybody on its list yet."""
    row = new_group(Kind.KNOWN, name=name, key=key, tags=tags, exposure=exposure)
    row.state = State.ACTIVE
    files = membership_files()
    with transaction.atomic():
        # Nobody is a membership like another: segments may refer to the group at once.
        next_generation(row, BitMap(), files, Cause.LIST, row.created_at)
        files.sync()
        insert_group(actor, row)
    return group(row.id)


def check_freezable(row: Group) -> None:
    """Nobody may see the members of a Small group, and one never evaluated has none."""
    if told(row.size, publisher().minimum_size, Kind(row.kind)).small or not row.generation:
        raise GroupInactive(worded("“{name}” is too small to be frozen, or was never evaluated.", name=row.name))


def frozen_name(row: Group) -> str:
    """What a group is called that holds today's members of another."""
    return f"{row.name} {system_clock().date().isoformat()}"


def freeze(actor: Principal, reference: str, *, name: str | None = None, key: str | None = None) -> GroupView:
    """A known user group of those who are in a group now (G-27); not of a Small one, whose members nobody may see."""
    frozen = group_row(reference)
    check_freezable(frozen)
    chosen = name or frozen_name(frozen)
    made = create_known(actor, name=chosen, key=key, tags=frozen.tags)
    row = group_row(made.id)
    put_in_force(row, write_list(row, _entries_of(stored_members(frozen)), "freeze"))
    record(actor, "group.frozen", "group", row.id, {"from": frozen.id})
    return group(row.id)


def _entries_of(members: BitMap) -> Iterator[pa.RecordBatch]:
    """Every customer as an entry of a list."""
    keys = members.to_array()
    for start in range(0, len(keys), BATCH_ROWS):
        portion = keys[start : start + BATCH_ROWS].tolist()
        kinds = pa.array([EntryKind.CUSTOMER] * len(portion), pa.uint8())
        entries = pa.array([customer_id(key) for key in portion], pa.string())
        yield pa.RecordBatch.from_arrays([kinds, entries, pa.array(map(str, portion), pa.string())], schema=SCHEMA)


@again_if_overtaken
def rematch(row: Group, cause: Cause) -> bool:
    """Who of a list is a customer now becomes the membership; answers whether that changed anything."""
    matched = match(row.id, row.list_version, row.entry_count)
    with transaction.atomic():
        current = Group.objects.get(id=row.id)
        if current.list_version != row.list_version:
            return False
        stored, followed = stored_members(current), matched.followed_since()
        matched = replace(matched, members=matched.members - followed | stored & followed)
        if matched.members == stored and matched.pending == current.pending_count:
            return False
        announce({row.id: _take(current, matched, cause)})
        return True


def rematch_known(cause: Cause) -> int:
    """Pending addresses join when their customer is there, the erased and merged leave; answers the groups changed.

    Segments that refer to them follow in the refresh after this.
    """
    listed = Group.objects.filter(kind=Kind.KNOWN, list_version__gt=0).exclude(state=State.ARCHIVED)
    return sum(rematch(row, cause) for row in listed)


def sweep_lists(younger_seconds: float = 0) -> int:
    """Removes the files of versions that nothing points to and no undo can need; answers how many."""
    return list_files().sweep(kept_lists(system_clock() - UNDO_DAYS), younger_seconds)
