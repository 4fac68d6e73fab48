"""How members are written: a whole file, or a small change beside it; with the memory of who joined and left.

Everything here happens inside the caller's transaction, which swaps the pointer: a crash leaves the old members or the
new ones (G-16), and what is remembered is exactly the difference (G-17).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pyroaring import BitMap

from muster.engine.changes import Change, change_between, packed
from muster.engine.membership import MembershipFiles
from muster.groups.actions.memory import remember
from muster.groups.models import Group, MembershipDelta
from muster.groups.queries.evaluation import stored_members
from muster.groups.terms import Cause

# A delta is written anew with every change, a file once it has grown beyond its share of it, or beyond what a
# page or four of the database hold.
_LEAST_DELTA_BYTES = 8_192
_MOST_DELTA_BYTES = 65_536
_SHARE_OF_FILE = 16


def next_generation(row: Group, members: BitMap, files: MembershipFiles, cause: Cause, at: datetime) -> Change:
    """The members become those of the next generation; answers who joined and left.

    Where nobody did there is no next generation, unless small changes are to be folded into a file. The caller syncs,
    and saves the row.
    """
    stored = Group.objects.filter(id=row.id).values_list("generation", "evaluations").first()
    row.generation, evaluations = stored or (0, 0)
    row.evaluations = evaluations + 1
    before = stored_members(row)
    change = change_between(before, members)
    row.size = len(members)
    remember(row, before, members, cause, at)
    if change or not row.generation or MembershipDelta.objects.filter(group=row.id, generation=row.generation).exists():
        write_file(row.id, row.generation + 1, members, files)
        row.generation += 1
    return change


def write_file(identifier: str, generation: int, members: BitMap, files: MembershipFiles) -> None:
    """The file of the next generation, and away with those that no reader goes through any more."""
    files.prune(identifier, generation)
    MembershipDelta.objects.filter(group=identifier, generation__lt=generation - 1).delete()
    files.write(identifier, generation, members)


def delta_row(identifier: str, generation: int, delta: Change, file_bytes: int) -> MembershipDelta | None:
    """All that changed since the file of the generation was written, to be stored; None if a file is due instead."""
    joined, left = packed(delta.joined), packed(delta.left)
    most = min(max(_LEAST_DELTA_BYTES, file_bytes // _SHARE_OF_FILE), _MOST_DELTA_BYTES)
    if len(joined) + len(left) > most:
        return None
    return MembershipDelta(group_id=identifier, generation=generation, joined=joined, left=left)


def write_deltas(rows: Sequence[MembershipDelta]) -> None:
    """In the place of those that were there."""
    MembershipDelta.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["group", "generation"], update_fields=["joined", "left"]
    )


def all_left(row: Group) -> Change:
    """As it is told of a group that is used no more: archived, or deleted."""
    return Change(BitMap(), stored_members(row))


def all_joined(row: Group) -> Change:
    """As it is told of a group that is back."""
    return Change(stored_members(row), BitMap())
