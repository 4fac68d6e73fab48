"""A group beside its population, told as the asker may know it (G-20, G-21)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from muster.catalog.queries import publisher
from muster.engine.bitset import Bitset
from muster.engine.compare import Breakdown, Spend, compare
from muster.groups.errors import GroupInactive
from muster.groups.policies import Told, told, told_breakdown
from muster.groups.queries.evaluation import evaluation, stored_members
from muster.groups.queries.groups import group_row
from muster.groups.terms import Kind
from muster.kernel.worded import worded

_MICROS = 1_000_000


@dataclass(frozen=True)
class ShareView:
    """`index`: the share in the group over that in the population; None where either is not told, or nobody has it."""

    value: str
    group: Told
    population: Told
    index: float | None


@dataclass(frozen=True)
class BreakdownView:
    key: str
    exclusive: bool
    shares: list[ShareView]


@dataclass(frozen=True)
class SpendView:
    """Money is in the publisher's currency; `average` is of those who bought. None where it is not told."""

    buyers: Told
    total: Decimal | None
    average: Decimal | None


@dataclass(frozen=True)
class ComparisonView:
    size: Told
    available_customers: Told
    breakdowns: list[BreakdownView]
    spend: SpendView
    population_spend: SpendView
    currency: str


def comparison_of(reference: str, *, may_list: bool) -> ComparisonView:
    """`group_inactive` for a group that is Small: of it nothing is broken down."""
    row = group_row(reference)
    minimum, kind = publisher().minimum_size, Kind(row.kind)
    if told(row.size, minimum, kind).small or not row.generation:
        raise GroupInactive(worded("“{name}” is too small to be compared, or was never evaluated.", name=row.name))
    with evaluation() as asked:
        found = compare(Bitset.from_roaring(stored_members(row), asked.size), row.app, asked)
    # Who may list the members counts them; and the members of a known group are known by design.
    exact = may_list or kind is Kind.KNOWN
    size, available = Told(found.size) if exact else told(found.size, minimum), told(found.available_customers, minimum)
    return ComparisonView(
        size,
        available,
        [_told(one, size, available, minimum, may_list=may_list) for one in found.breakdowns],
        _spend(found.spend, minimum, size, may_list=exact),
        _spend(found.population_spend, minimum, available, may_list=may_list),
        publisher().currency,
    )


def _told(one: Breakdown, size: Told, available: Told, minimum: int, *, may_list: bool) -> BreakdownView:
    counts = [(share.group, share.population) for share in one.shares]
    shares = told_breakdown(counts, size, available, minimum, exclusive=one.exclusive, may_list=may_list)
    return BreakdownView(
        one.key,
        one.exclusive,
        [
            ShareView(share.value, group, population, _index(group, population, size, available))
            for share, (group, population) in zip(one.shares, shares, strict=True)
        ],
    )


def _index(group: Told, population: Told, size: Told, available: Told) -> float | None:
    if not (group.size is not None and population.size and size.size and available.size):
        return None
    return (group.size / size.size) / (population.size / available.size)


def _spend(spend: Spend, minimum: int, whole: Told, *, may_list: bool) -> SpendView:
    """An average over few people is a figure over few people (G-21)."""
    [(buyers, _)] = told_breakdown(
        [(spend.buyers, spend.buyers)], whole, whole, minimum, exclusive=False, may_list=may_list
    )
    if buyers.size is None:
        return SpendView(buyers, None, None)
    total = Decimal(spend.total_micros) / _MICROS
    return SpendView(buyers, total, round(total / buyers.size, 2) if buyers.size else None)
