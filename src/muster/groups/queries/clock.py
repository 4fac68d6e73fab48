"""The evaluation clock: what definitions select as if it were another instant (G-29). Nothing is stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from pyroaring import BitMap

from muster.catalog.queries import warehouse_catalog
from muster.customers.queries import warehouse
from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation
from muster.engine.plan import plan
from muster.groups.errors import GroupInactive, ValueNotAllowed
from muster.groups.models import Group
from muster.groups.queries.evaluation import context, definition_of, stored_members, vocabulary
from muster.groups.terms import Kind
from muster.kernel.clock import system_clock
from muster.rules.nodes import AttributeCondition, Definition, DeviceCondition, EventCondition
from muster.rules.operators import RANK_OPERATORS
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Scope
from muster.rules.walk import conditions, groups_used
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse

_REMEMBERED = 8


@dataclass(frozen=True)
class AtInstant:
    """A group evaluated as if it were `at`; `not_historic`: what it names that is taken as it is today."""

    at: datetime
    members: BitMap
    available_customers: int
    not_historic: list[str]


@contextmanager
def evaluation_at(at: datetime, keys: BitMap | None = None) -> Iterator[Evaluation]:
    """Of the past over facts rebuilt as of the instant, of the future over today's; segments referred to likewise.

    With `keys` over these customers alone: enough for definitions that compare nobody with others.
    """
    known: dict[str, Bitset] = {}
    with _warehouse_at(check_instant(at), keys) as asked, asked.reader() as reader:
        size = asked.highest_key() + 1

        def members(identifier: str) -> Bitset:
            if identifier not in known:
                known[identifier] = _members_at(Group.objects.filter(id=identifier).first(), evaluation)
            return known[identifier]

        evaluation = Evaluation(context(at), asked, reader, size, members)
        yield evaluation


def check_instant(at: datetime) -> datetime:
    """`value_not_allowed` for an instant without a zone."""
    if at.tzinfo is None:
        raise ValueNotAllowed("An instant needs its zone: 2026-03-01T12:00:00Z.", pointer="/at")
    return at


@contextmanager
def _warehouse_at(at: datetime, keys: BitMap | None) -> Iterator[DuckDBWarehouse]:
    today = warehouse()
    if at >= system_clock():
        yield today
        return
    home: Path = settings.MUSTER.past_directory
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=home) as directory, today.as_of(at, Path(directory), warehouse_catalog(), keys) as past:
        yield past


def _members_at(row: Group | None, evaluation: Evaluation) -> Bitset:
    """Known groups are lists: they are as they are today."""
    if row is None or row.generation == 0:
        raise GroupInactive("A group that is referred to has no members yet: activate it before others refer to it.")
    if row.kind == Kind.KNOWN:
        return Bitset.from_roaring(stored_members(row), evaluation.size)
    definition = definition_of(row, evaluation.context.vocabulary)
    return evaluation.result(plan(definition, evaluation.context)).members


def not_historic(definition: Definition, at: datetime) -> list[str]:
    """What a definition names, directly or through segments, that is taken as it is today.

    Known groups, devices, and attributes whose first value somebody said after the instant.
    """
    if at >= system_clock():
        return []
    later = set(warehouse().said_later(at))
    # Ages are reckoned from birthdays, and decide who is old enough to be in a population at all.
    ages = {"age", "age_group"} if later & {"birthday", "age"} else set()
    return sorted(_not_historic(definition, later | ages, set()))


def _not_historic(definition: Definition, later: set[str], seen: set[str]) -> set[str]:
    found: set[str] = set()
    for _, leaf in conditions(definition.match):
        if isinstance(leaf, DeviceCondition) or (isinstance(leaf, AttributeCondition) and _is_of_devices(leaf)):
            found.add("devices")
        elif isinstance(leaf, AttributeCondition) and leaf.attribute in later:
            found.add(leaf.attribute)
    for row in Group.objects.filter(id__in=groups_used(definition) - seen):
        seen.add(row.id)
        if row.kind == Kind.KNOWN:
            found.add(f"group:{row.key}")
        else:
            found |= _not_historic(definition_of(row, vocabulary()), later, seen)
    return found


def needs_everybody(definition: Definition) -> bool:
    """Whether the definition, or a segment it refers to, ranks people against each other."""
    ranked = any(
        isinstance(leaf, AttributeCondition | EventCondition) and leaf.op in RANK_OPERATORS
        for _, leaf in conditions(definition.match)
    )
    rows = Group.objects.filter(id__in=groups_used(definition), definition__isnull=False)
    return ranked or any(needs_everybody(definition_of(row, vocabulary(archived=True))) for row in rows)


def _is_of_devices(condition: AttributeCondition) -> bool:
    standard = STANDARD_ATTRIBUTES.get(condition.attribute)
    return standard is not None and standard.scope is Scope.DEVICE


class _Answers:
    """The last few, so that the pages of one answer are not each evaluated anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[object, ...], AtInstant] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> AtInstant | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: tuple[object, ...], answer: AtInstant) -> None:
        with self._lock:
            self._found[key] = answer
            while len(self._found) > _REMEMBERED:
                self._found.popitem(last=False)


ANSWERS = _Answers()


def group_at(row: Group, at: datetime) -> AtInstant:
    """A saved segment at an instant; a known group, being a list, has no other than today's members."""
    if row.kind == Kind.KNOWN:
        return AtInstant(check_instant(at), stored_members(row), 0, [f"group:{row.key}"])
    others = tuple(Group.objects.order_by("id").values_list("id", "revision", "generation"))
    key = (row.id, row.revision, check_instant(at), warehouse().data_as_of(), others)
    found = ANSWERS.get(key)
    if found is None:
        definition = definition_of(row, vocabulary())
        with evaluation_at(at) as asked:
            result = asked.result(plan(definition, asked.context))
        found = AtInstant(at, result.members.to_roaring(), len(result.population), not_historic(definition, at))
        ANSWERS.put(key, found)
    return found
