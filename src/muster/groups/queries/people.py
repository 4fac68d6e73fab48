"""Who is in a group: members page by page, groups of a customer, and why (G-18)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import pyarrow as pa
from pyroaring import BitMap

from muster.catalog.queries import publisher
from muster.customers.queries import customer_key, warehouse
from muster.engine.explain import Explanation, explain
from muster.engine.plan import plan
from muster.engine.reference.evaluate import Members, World
from muster.groups.errors import CustomerUnknown, GroupInactive
from muster.groups.models import Group, MembershipChange
from muster.groups.policies import Told, told
from muster.groups.queries.clock import AtInstant, evaluation_at, group_at, needs_everybody
from muster.groups.queries.evaluation import (
    context,
    definition_of,
    evaluation,
    list_files,
    members_of_generation,
    membership_files,
    stored_members,
    vocabulary,
)
from muster.groups.queries.groups import group_row
from muster.groups.queries.history import Recalled, check_listable_then, recall
from muster.groups.queries.recall import change_of
from muster.groups.terms import Kind
from muster.kernel.ids import customer_id, customer_key_of
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.kernel.worded import worded
from muster.rules.canonical import condition_hash
from muster.rules.codec import decode
from muster.rules.nodes import AttributeCondition, Definition, EventCondition
from muster.rules.walk import groups_used
from muster.warehouse.lists.entries import EntryKind, exported

MEMBERS_A_PAGE = 1_000
_LINES_A_CHUNK = 10_000


@dataclass(frozen=True)
class MemberPage:
    """Public ids in order of their keys; the generation they were read from."""

    items: list[str]
    generation: int
    next_cursor: str | None


@dataclass(frozen=True)
class Why:
    """The explanation of one customer, and the membership that is stored (they may differ until the next refresh)."""

    group: Group
    customer_id: str
    customer_key: int
    definition: Definition
    explanation: Explanation
    stored: bool
    evaluated_at: datetime


@dataclass(frozen=True)
class Listed:
    """Whether a customer is in a known user group, and the entries of its list that name them, as written."""

    group: Group
    customer_id: str
    member: bool
    entries: list[str]


def members(reference: str, *, cursor: str | None = None, limit: int = 100) -> MemberPage:
    """One page of members. A cursor goes on in the generation it came from while its file is there.

    Nothing is listed of a Small group (G-21).
    """
    row = group_row(reference)
    _check_listable(row)
    start, generation = _position(cursor) if cursor else (0, row.generation)
    files = membership_files()
    if generation != row.generation and not files.has(row.id, generation):
        generation = row.generation
    found = members_of_generation(row.id, generation)
    keys = _following(found, start, limit + 1)
    following = encode_cursor([keys[limit - 1], generation]) if len(keys) > limit else None
    return MemberPage([customer_id(key) for key in keys[:limit]], generation, following)


def members_as_of(
    reference: str, as_of: datetime, *, cursor: str | None = None, limit: int = 100
) -> tuple[MemberPage, Recalled]:
    """One page of the members recorded at a past instant (G-17)."""
    row = group_row(reference)
    found = recall(row, as_of)
    check_listable_then(row, found.members)
    return _page(found.members, cursor, limit), found


def members_among(
    reference: str, customers: Iterable[str], as_of: datetime | None = None
) -> tuple[list[str], Recalled | None]:
    """Who of some customers, by their ids, is in the group, or was in it as recorded at a past instant.

    Nothing is told of a Small group (G-21).
    """
    row = group_row(reference)
    found = None
    if as_of is None:
        _check_listable(row)
        members = stored_members(row) if row.generation else BitMap()
    else:
        found = recall(row, as_of)
        check_listable_then(row, found.members)
        members = found.members
    return [one for one in customers if customer_key_of(one) in members], found


def members_at(
    reference: str, at: datetime, *, cursor: str | None = None, limit: int = 100
) -> tuple[MemberPage, AtInstant]:
    """One page of the members there would be if it were that instant (G-29)."""
    row = group_row(reference)
    found = group_at(row, at)
    check_listable_then(row, found.members)
    return _page(found.members, cursor, limit), found


def size_at(reference: str, at: datetime) -> tuple[AtInstant, Told, Told]:
    """The size and the population there would be if it were that instant, as they may be told."""
    row = group_row(reference)
    found = group_at(row, at)
    minimum, kind = publisher().minimum_size, Kind(row.kind)
    return found, told(len(found.members), minimum, kind), told(found.available_customers, minimum, kind)


def _page(found: BitMap, cursor: str | None, limit: int) -> MemberPage:
    start, _ = _position(cursor) if cursor else (0, 0)
    keys = _following(found, start, limit + 1)
    following = encode_cursor([keys[limit - 1], 0]) if len(keys) > limit else None
    return MemberPage([customer_id(key) for key in keys[:limit]], 0, following)


def _position(cursor: str) -> tuple[int, int]:
    """The last key seen and the generation it was read from."""
    match decode_cursor(cursor):
        case [int(key), int(generation)] if 0 <= key < 2**32 and 0 <= generation < 2**32:
            return key, generation
    raise cursor_invalid()


def _following(found: BitMap, start: int, count: int) -> list[int]:
    first = found.rank(start)
    return [int(key) for key in found[first : first + count]]


def _check_listable(row: Group) -> None:
    if told(row.size, publisher().minimum_size, Kind(row.kind)).small:
        raise GroupInactive(
            worded(
                "“{name}” is too small to list its members: a segment is listed from the privacy floor up.",
                name=row.name,
            )
        )


def groups_of_customer(reference: str) -> list[Group]:
    """The groups a customer is in now."""
    key = _key(reference)
    return [row for row in Group.objects.exclude(state="archived") if row.generation and key in stored_members(row)]


@dataclass(frozen=True)
class Move:
    """A customer joined a group or left it. `place` orders the moves of one instant."""

    at: datetime
    place: str
    group_key: str
    group_name: str
    joined: bool


def moves_of(key: int, position: tuple[datetime, str] | None, limit: int, *, newer: bool) -> list[Move]:
    """Up to `limit` moves before a position, newest first; `newer`: after it, oldest first."""
    order = ("at", "id") if newer else ("-at", "-id")
    rows = MembershipChange.objects.select_related("group").order_by(*order)
    if position is not None:
        rows = rows.filter(at__gte=position[0]) if newer else rows.filter(at__lte=position[0])
    found: list[Move] = []
    # Bitmaps are read one by one: a customer who moves often is found soon.
    for row in rows.iterator():
        told = change_of(row)
        joined = key in told.joined
        if not joined and key not in told.left:
            continue
        move = Move(row.at, f"{row.id:012}", row.group.key, row.group.name, joined)
        where = (move.at, move.place)
        if position is None or (where > position if newer else where < position):
            found.append(move)
        if len(found) >= limit:
            break
    return found


def why(reference: str, customer: str, now: datetime | None = None) -> Why:
    """Why the customer is or is not in the group: the saved definition over the customer's own rows."""
    row = group_row(reference)
    key = _key(customer)
    person = warehouse().person(key)
    if person is None:
        raise CustomerUnknown(worded("There is no customer `{customer}`.", customer=customer))
    here = context(now)
    definition = definition_of(row, here.vocabulary)
    used = Group.objects.filter(id__in=groups_used(definition))
    others: dict[str, Members] = {one.id: stored_members(one) for one in used}
    known = {(one["condition"], one["app"]): one["value"] for one in row.thresholds}

    def threshold(condition: AttributeCondition | EventCondition, app: str | None) -> float | None:
        return known.get((condition_hash(condition), app))

    found = explain(definition, person, World(here, others, threshold))
    return Why(row, customer_id(key), key, definition, found, key in stored_members(row), here.now)


def why_unsaved(definition: Definition, customer: str) -> tuple[str, Explanation]:
    """The customer's id, and why a definition that is not saved would select them or not ("Test a person")."""
    key = _key(customer)
    with evaluation() as asked:
        # Ranks need the threshold that everybody's values give.
        asked.result(plan(definition, asked.context))
        person = asked.warehouse.person(key)
        if person is None:
            raise CustomerUnknown(worded("There is no customer `{customer}`.", customer=customer))
        others: dict[str, Members] = {one: asked.groups(one) for one in groups_used(definition)}
        known = {(condition_hash(one.condition), one.population.app): at for one, at in asked.thresholds.items()}
        world = World(asked.context, others, lambda condition, app: known.get((condition_hash(condition), app)))
        return customer_id(key), explain(definition, person, world)


def why_listed(row: Group, customer: str) -> Listed:
    """Which entries of a known user group name the customer: verified addresses, external ids, the customer's id."""
    key = _key(customer)
    person = warehouse().person(key)
    if person is None:
        raise CustomerUnknown(worded("There is no customer `{customer}`.", customer=customer))
    names = {(EntryKind.CUSTOMER, str(key))}
    names |= {(EntryKind.EMAIL, str(one["normal"])) for one in person.emails if one["verified"]}
    names |= {(EntryKind.EXTERNAL, text) for kind, _, text in person.identities if kind == "external"}
    asked = pa.array(sorted(identity for _, identity in names))
    entries = [
        str(one["entry"])
        for batch in list_files().read(row.id, row.list_version)
        for one in batch.filter(pa.compute.is_in(batch.column("identity"), asked)).to_pylist()
        if (one["kind"], one["identity"]) in names
    ]
    return Listed(row, customer_id(key), key in stored_members(row), entries)


def why_as_of(reference: str, customer: str, as_of: datetime) -> Why:
    """Why the customer was or was not in the group: the definition of that instant over what had happened by then."""
    row = group_row(reference)
    key = _key(customer)
    recorded = recall(row, as_of)
    version = row.versions.filter(saved_at__lte=as_of).first()
    definition = decode((version or row).definition, vocabulary(archived=True))
    with evaluation_at(as_of, None if needs_everybody(definition) else BitMap([key])) as asked:
        asked.result(plan(definition, asked.context))
        person = asked.warehouse.person(key)
        if person is None:
            raise CustomerUnknown(
                worded("There was no customer `{customer}` at {instant}.", customer=customer, instant=as_of.isoformat())
            )
        others: dict[str, Members] = {one: asked.groups(one) for one in groups_used(definition)}
        known = {(condition_hash(one.condition), one.population.app): at for one, at in asked.thresholds.items()}
        found = explain(
            definition,
            person,
            World(asked.context, others, lambda condition, app: known.get((condition_hash(condition), app))),
        )
    return Why(row, customer_id(key), key, definition, found, key in recorded.members, as_of)


def _key(reference: str) -> int:
    key = customer_key(reference)
    if key is None:
        raise CustomerUnknown(
            worded(
                "There is no customer `{reference}`. Name one by id (cus_2f), by `external:` and the"
                " publisher's own id, or by e-mail address.",
                reference=reference,
            )
        )
    return key


def export_lines(reference: str) -> Iterator[str]:
    """CSV of everybody in a group: the entries of a list as they were written, or the ids of a segment's members.

    What is exported of a list imports again without loss; no cell is a formula (G-26).
    """
    row = group_row(reference)
    _check_listable(row)
    if row.kind == Kind.KNOWN:
        batches = list_files().read(row.id, row.list_version)
        return _csv("entry", (exported(entry) for one in batches for entry in one.column("entry").to_pylist()))
    return _csv("id", (customer_id(key) for key in stored_members(row)))


def _csv(title: str, cells: Iterator[str]) -> Iterator[str]:
    yield f"{title}\r\n"
    while portion := list(islice(cells, _LINES_A_CHUNK)):
        text = io.StringIO(newline="")
        csv.writer(text).writerows([cell] for cell in portion)
        yield text.getvalue()
