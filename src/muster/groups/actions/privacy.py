"""What groups hold of people: entries of their lists, memberships now and once, what webhooks were told (C-45)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from pyroaring import BitMap

from muster.customers.hooks import PersonalData
from muster.engine.changes import Change, packed
from muster.groups.actions.announcing import count_in_news, erase_from_news
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.lists import rematch_known
from muster.groups.actions.membership import refresh_groups
from muster.groups.actions.memory import erase_keys, remember
from muster.groups.actions.publication import current_publisher
from muster.groups.models import Group, ListVersion, MembershipChange, MembershipDelta
from muster.groups.queries.evaluation import (
    delta_of,
    list_files,
    members_of_generation,
    membership_files,
    stored_members,
)
from muster.groups.queries.recall import change_of, count_keys
from muster.groups.terms import Cause
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id
from muster.warehouse.lists.entries import EntryKind
from muster.warehouse.subject import Subject
from muster.webhooks.actions.privacy import count_naming, deliveries_naming, forget_people

Rows = dict[str, list[dict[str, Any]]]


# Lists: every version that is kept, also those an undo would bring back


def _theirs(batch: pa.RecordBatch, subject: Subject) -> pa.Array:
    """Which entries of a list name them; a boolean each."""
    found = pa.array([False] * batch.num_rows)
    for kind, names in _names(subject).items():
        same = pc.and_(pc.equal(batch.column("kind"), kind), pc.is_in(batch.column("identity"), names))
        found = pc.or_(found, same)
    return found


def _names(subject: Subject) -> dict[EntryKind, pa.Array]:
    return {
        EntryKind.EMAIL: pa.array(subject.addresses, pa.string()),
        EntryKind.EXTERNAL: pa.array(subject.external_ids, pa.string()),
        EntryKind.CUSTOMER: pa.array([str(key) for key in subject.keys], pa.string()),
    }


def _naming(subject: Subject) -> Iterator[tuple[str, int, int]]:
    """Lists and versions that name them, each with how many entries do."""
    files = list_files()
    for identifier, version in list(files.versions()):
        count = sum(pc.sum(_theirs(batch, subject)).as_py() or 0 for batch in files.read(identifier, version))
        if count:
            yield identifier, version, count


def _erase_entries(subject: Subject) -> dict[str, int]:
    removed = 0
    for identifier, version, count in _naming(subject):
        _rewrite(identifier, version, subject)
        removed += count
    if removed:
        rematch_known(Cause.DATA)
    return {"entries": removed} if removed else {}


def _rewrite(identifier: str, version: int, subject: Subject) -> None:
    """The same version without them; what is counted of it follows."""
    files = list_files()
    kept = (batch.filter(pc.invert(_theirs(batch, subject))) for batch in files.read(identifier, version))
    count = files.write(identifier, version, kept)
    with transaction.atomic():
        ListVersion.objects.filter(group=identifier, version=version).update(entry_count=count)
        Group.objects.filter(id=identifier, list_version=version).update(entry_count=count)


def _count_entries(subject: Subject) -> dict[str, int]:
    found = sum(count for _, _, count in _naming(subject))
    return {"entries": found} if found else {}


def _export_entries(subject: Subject) -> Rows:
    files = list_files()
    rows = [
        {"group": row.key, "name": row.name, "entry": entry}
        for row in Group.objects.filter(list_version__gt=0).order_by("key")
        for batch in files.read(row.id, row.list_version)
        for entry in batch.filter(_theirs(batch, subject)).column("entry").to_pylist()
    ]
    return {"list_entries": rows}


# Memberships: the files of both generations, and what is remembered of who joined and left


def _erase_memberships(subject: Subject) -> dict[str, int]:
    """Groups are brought up to date first, so that nothing evaluated before is left in force."""
    removed = _count_memberships(subject)
    rematch_known(Cause.DATA)
    refresh_groups(cause=Cause.DATA)
    files = membership_files()
    with transaction.atomic():
        for identifier, generation in _generations(subject.keys):
            before = members_of_generation(identifier, generation)
            files.write(identifier, generation, files.read(identifier, generation) - subject.keys)
            _erase_from_delta(identifier, generation, subject.keys)
            _count_again(identifier, generation, before)
        files.sync()
        # Whoever keeps members in memory must not bring them back; who waits for this transaction sees it.
        FOLLOWED.begin_anew()
    remembered = erase_keys(subject.keys) + erase_from_news(subject.keys)
    return removed | ({"remembered": remembered} if remembered else {})


def _count_again(identifier: str, generation: int, before: BitMap) -> None:
    """Of a membership that is in force though nobody evaluates it, such as an archived group's."""
    row = Group.objects.filter(id=identifier, generation=generation).first()
    if row is None:
        return
    row.size = len(after := members_of_generation(identifier, generation))
    row.save(update_fields=["size"])
    remember(row, before, after, Cause.DATA, system_clock(), is_news=False)


def _erase_from_delta(identifier: str, generation: int, keys: BitMap) -> None:
    kept = delta_of(identifier, generation).without(keys)
    rows = MembershipDelta.objects.filter(group=identifier, generation=generation)
    rows.update(joined=packed(kept.joined), left=packed(kept.left))


def _generations(keys: BitMap) -> list[tuple[str, int]]:
    """Every membership that is stored and holds any of them, in its file or beside it, of archived groups too."""
    files = membership_files()
    return [
        (identifier, generation)
        for identifier, generation in files.generations()
        if files.read(identifier, generation).intersect(keys) or _touches(delta_of(identifier, generation), keys)
    ]


def _touches(delta: Change, keys: BitMap) -> bool:
    return bool(delta.joined.intersect(keys) or delta.left.intersect(keys))


def _count_memberships(subject: Subject) -> dict[str, int]:
    found = {
        "memberships": len(_generations(subject.keys)),
        "remembered": int(count_keys(subject.keys)) + count_in_news(subject.keys),
    }
    return {name: count for name, count in found.items() if count}


def _export_memberships(subject: Subject) -> Rows:
    now = [
        {"group": row.key, "name": row.name}
        for row in Group.objects.filter(generation__gt=0).order_by("key")
        if stored_members(row).intersect(subject.keys)
    ]
    history = []
    for change in MembershipChange.objects.select_related("group").iterator():
        told = change_of(change)
        for verb, keys in (("joined", told.joined), ("left", told.left)):
            if keys.intersect(subject.keys):
                at = change.at.isoformat().replace("+00:00", "Z")
                history.append({"group": change.group.key, "change": verb, "at": at, "grain": change.grain})
    return {"memberships": now, "membership_history": history}


# Webhooks: after memberships, because whoever is taken out of a group may be told of as having left it


def _ids(subject: Subject) -> list[str]:
    return [customer_id(key) for key in subject.keys]


def _erase_deliveries(subject: Subject) -> dict[str, int]:
    gone = forget_people(_ids(subject))
    return {"deliveries": gone} if gone else {}


def _count_deliveries(subject: Subject) -> dict[str, int]:
    found = count_naming(_ids(subject))
    return {"deliveries": found} if found else {}


def _export_deliveries(subject: Subject) -> Rows:
    return {"webhook_deliveries": deliveries_naming(_ids(subject))}


# What the edge answers from: after everything it is made of


def _erase_published(subject: Subject) -> dict[str, int]:
    publisher = current_publisher()
    found = _count_published(subject)
    if publisher is not None:
        publisher.forget(subject)
    return found


def _count_published(subject: Subject) -> dict[str, int]:
    publisher = current_publisher()
    found = {"identities": publisher.named(subject)} if publisher is not None else {}
    return {name: count for name, count in found.items() if count}


def _export_published(_: Subject) -> Rows:
    """It is made of what the other places tell."""
    return {}


PLACES = (
    PersonalData("lists", _export_entries, _erase_entries, _count_entries),
    PersonalData("memberships", _export_memberships, _erase_memberships, _count_memberships),
    PersonalData("webhooks", _export_deliveries, _erase_deliveries, _count_deliveries),
    PersonalData("published", _export_published, _erase_published, _count_published),
)
