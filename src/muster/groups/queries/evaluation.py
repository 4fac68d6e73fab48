"""Opens evaluations: the context of this installation, and the members of other groups as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from pyroaring import BitMap

from muster.catalog import queries as catalog
from muster.customers.queries import warehouse
from muster.engine.bitset import Bitset
from muster.engine.changes import Change, unpacked
from muster.engine.context import Context
from muster.engine.evaluate import Evaluation
from muster.engine.membership import MembershipFiles
from muster.groups.errors import GroupInactive
from muster.groups.models import Group, MembershipDelta
from muster.groups.terms import State
from muster.kernel.clock import system_clock
from muster.kernel.worded import worded
from muster.rules.codec import decode
from muster.rules.nodes import Definition
from muster.rules.vocabulary import Vocabulary
from muster.warehouse.lists.files import ListFiles
from muster.web.asked import once_a_page


class Named(NamedTuple):
    """A group as definitions and sentences name it."""

    id: str
    key: str
    name: str
    state: str


@once_a_page
def every_name() -> list[Named]:
    return [Named(*row) for row in Group.objects.order_by("id").values_list("id", "key", "name", "state")]


def vocabulary(*, archived: bool = False, names: Sequence[Named] | None = None) -> Vocabulary:
    """Everything a definition of this installation may name; `archived` groups only where one is shown, not saved.

    `names`: of every group, where the caller has them.
    """
    groups: dict[str, str] = {}
    for named in every_name() if names is None else names:
        if archived or named.state != State.ARCHIVED:
            groups |= {named.id: named.id, named.key: named.id}
    return Vocabulary(catalog.attributes(), catalog.events(), catalog.app_numbers(), groups)


def context(now: datetime | None = None) -> Context:
    """The publisher's settings at an instant, now if none is given."""
    publisher = catalog.publisher()
    return Context(
        now=now or system_clock(),
        vocabulary=vocabulary(),
        zone=publisher.zone,
        minimum_age=publisher.minimum_age,
        require_known_age=publisher.require_known_age,
    )


def definition_of(group: Group, words: Vocabulary) -> Definition:
    """The saved definition; it was valid when it was saved and loads unchanged (G-13)."""
    return decode(group.definition, words)


def membership_files() -> MembershipFiles:
    directory: Path = settings.MUSTER.membership_directory
    return MembershipFiles(directory)


def stored_members(group: Group) -> BitMap:
    """The members of the current generation; nobody before the first."""
    return members_of_generation(group.id, group.generation)


def members_of_generation(identifier: str, generation: int) -> BitMap:
    """Those of its file, and the small changes since it was written."""
    if generation == 0:
        return BitMap()
    # The file first: the generation it is of never changes but by what is read next.
    found = membership_files().read(identifier, generation)
    return delta_of(identifier, generation).applied_to(found)


def delta_of(identifier: str, generation: int) -> Change:
    """Who joined and left since the file of a generation was written."""
    for row in MembershipDelta.objects.raw(_DELTA, [identifier, generation]):
        return Change(unpacked(row.joined), unpacked(row.left))
    return Change(BitMap(), BitMap())


# Every cycle asks this of each group it publishes: to have Django put it together anew takes ten times as long.
_DELTA = "SELECT * FROM groups_membershipdelta WHERE group_id = %s AND generation = %s"


def list_files() -> ListFiles:
    directory: Path = settings.MUSTER.list_directory
    return ListFiles(directory)


@contextmanager
def evaluation(now: datetime | None = None, instead: Mapping[str, BitMap] | None = None) -> Iterator[Evaluation]:
    """An evaluation over one state of the warehouse; closed with the block.

    `instead`: members of groups that are about to change, by id.
    """
    asked = warehouse()
    known: dict[str, Bitset] = {}
    coming = instead or {}
    with asked.reader() as reader:
        size = asked.highest_key() + 1

        def members(identifier: str) -> Bitset:
            if identifier not in known:
                found = coming[identifier] if identifier in coming else _members_of(identifier)
                known[identifier] = Bitset.from_roaring(found, size)
            return known[identifier]

        yield Evaluation(context(now), asked, reader, size, members)


def _members_of(identifier: str) -> BitMap:
    group = Group.objects.filter(id=identifier).first()
    if group is None or group.generation == 0:
        name = identifier if group is None else group.name
        raise GroupInactive(worded("“{name}” has no members yet: activate it before others refer to it.", name=name))
    return stored_members(group)
