"""Who is in a group: members page by page, groups of a customer, and why (G-18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from muster.catalog.queries import publisher
from muster.customers.queries import customer_key, warehouse
from muster.engine.explain import Explanation, explain
from muster.engine.reference.evaluate import Members, World
from muster.groups.errors import CustomerUnknown, GroupInactive
from muster.groups.models import Group
from muster.groups.policies import told
from muster.groups.queries.evaluation import context, definition_of, membership_files, stored_members
from muster.groups.queries.groups import group_row
from muster.groups.terms import Kind
from muster.kernel.ids import customer_id
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.rules.canonical import condition_hash
from muster.rules.nodes import AttributeCondition, EventCondition
from muster.rules.walk import groups_used

MEMBERS_A_PAGE = 1_000


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
    explanation: Explanation
    stored: bool
    evaluated_at: datetime


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
    found = files.read(row.id, generation) if generation else BitMap()
    keys = _following(found, start, limit + 1)
    following = encode_cursor([keys[limit - 1], generation]) if len(keys) > limit else None
    return MemberPage([customer_id(key) for key in keys[:limit]], generation, following)


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
            f"“{row.name}” is too small to list its members: a segment is listed from the privacy floor up."
        )


def groups_of_customer(reference: str) -> list[Group]:
    """The groups a customer is in now."""
    key = _key(reference)
    return [row for row in Group.objects.exclude(state="archived") if row.generation and key in stored_members(row)]


def why(reference: str, customer: str, now: datetime | None = None) -> Why:
    """Why the customer is or is not in the group: the saved definition over the customer's own rows."""
    row = group_row(reference)
    key = _key(customer)
    person = warehouse().person(key)
    if person is None:
        raise CustomerUnknown(f"There is no customer `{customer}`.")
    here = context(now)
    definition = definition_of(row, here.vocabulary)
    used = Group.objects.filter(id__in=groups_used(definition))
    others: dict[str, Members] = {one.id: stored_members(one) for one in used}
    known = {(one["condition"], one["app"]): one["value"] for one in row.thresholds}

    def threshold(condition: AttributeCondition | EventCondition, app: str | None) -> float | None:
        return known.get((condition_hash(condition), app))

    found = explain(definition, person, World(here, others, threshold))
    return Why(row, customer_id(key), key, found, key in stored_members(row), here.now)


def _key(reference: str) -> int:
    key = customer_key(reference)
    if key is None:
        raise CustomerUnknown(
            f"There is no customer `{reference}`. Name one by id (cus_2f), by `external:` and the publisher's own id,"
            " or by e-mail address."
        )
    return key


def member_ids(reference: str) -> Iterator[str]:
    """All members, for exports."""
    row = group_row(reference)
    _check_listable(row)
    return (customer_id(key) for key in stored_members(row))
