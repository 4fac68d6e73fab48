"""Past memberships, put together from snapshots and the changes after them."""

from __future__ import annotations

from datetime import timedelta

from pyroaring import BitMap

from muster.engine.changes import Change, unpacked
from muster.groups.models import MembershipChange, MembershipSnapshot

KEPT = timedelta(days=400)
"""How far back a group remembers."""


def change_of(row: MembershipChange) -> Change:
    return Change(unpacked(row.joined), unpacked(row.left))


def members_after(row: MembershipChange) -> BitMap:
    """The members right after a change."""
    changes = MembershipChange.objects.filter(group=row.group_id, id__lte=row.id)
    base = MembershipSnapshot.objects.filter(change__in=changes).last()
    members = unpacked(base.members) if base else BitMap()
    for change in changes.filter(id__gt=base.change_id) if base else changes:
        members = change_of(change).applied_to(members)
    return members


def count_keys(keys: BitMap) -> int:
    """In how many remembered changes and snapshots any of the customers stands."""
    changes = sum(
        unpacked(row.joined).intersect(keys) or unpacked(row.left).intersect(keys)
        for row in MembershipChange.objects.iterator()
    )
    return changes + sum(unpacked(row.members).intersect(keys) for row in MembershipSnapshot.objects.iterator())
