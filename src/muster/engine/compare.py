"""Key figures of a group beside those of its population (G-20): who they are, what they spend, when they last came.

Every breakdown counts customers by the same conditions definitions are made of, so a figure here and a segment of that
condition can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa

from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation
from muster.engine.refresh import refresh
from muster.rules.nodes import All, AttributeCondition, Definition, Node, NoneOf
from muster.rules.standard import AGE_GROUPS, DEVICE_FAMILIES

MOST_VALUES = 12
"""Values of an open category that are shown; the rest is `other`."""
OTHER, UNKNOWN = "other", "unknown"
RECENCY = {"7": timedelta(days=7), "30": timedelta(days=30), "90": timedelta(days=90)}
"""Last use: up to so many days ago."""


@dataclass(frozen=True)
class Share:
    """How many of the group and of the population have a value."""

    value: str
    group: int
    population: int


@dataclass(frozen=True)
class Breakdown:
    """`exclusive`: everybody is in exactly one share; of devices people may have several."""

    key: str
    exclusive: bool
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Spend:
    """Customers with any spend, and what they spent in all, in micros of the publisher's currency."""

    buyers: int
    total_micros: int


@dataclass(frozen=True)
class Comparison:
    size: int
    available_customers: int
    breakdowns: tuple[Breakdown, ...]
    spend: Spend
    population_spend: Spend


def compare(members: Bitset, app: str | None, evaluation: Evaluation) -> Comparison:
    """The members are compared with the population of the app (G-1); who is not of it is left out."""
    population = evaluation.population(app)
    group = members & population
    sets = _conditions(app, evaluation)
    breakdowns = (
        _partition("age_group", group, population, {name: sets[f"age_group {name}"] for name in AGE_GROUPS}),
        _category("gender", group, population, evaluation),
        _category("country", group, population, evaluation),
        _overlapping("device_family", group, population, {name: sets[f"device {name}"] for name in DEVICE_FAMILIES}),
        _partition("last_used_days", group, population, {name: sets[f"used {name}"] for name in (*RECENCY, "more")}),
    )
    spent, population_spent = _spend(group, population, evaluation)
    return Comparison(len(group), len(population), breakdowns, spent, population_spent)


def _conditions(app: str | None, evaluation: Evaluation) -> Mapping[str, Bitset]:
    """The sets of all conditions that are asked, together."""
    definitions = {name: Definition(node, app) for name, node in _asked()}
    return {name: one.members for name, one in refresh(definitions, evaluation).results.items()}


def _asked() -> Iterator[tuple[str, Node]]:
    for name in AGE_GROUPS:
        yield f"age_group {name}", AttributeCondition("age_group", "is", name)
    for name in DEVICE_FAMILIES:
        yield f"device {name}", AttributeCondition("device_family", "is", name)
    before: Node | None = None
    for name, period in RECENCY.items():
        used: Node = AttributeCondition("last_used_at", "in_last", period)
        yield f"used {name}", used if before is None else All((used, NoneOf((before,))))
        before = used
    assert before is not None
    yield "used more", All((AttributeCondition("last_used_at", "is_set"), NoneOf((before,))))


def _partition(key: str, group: Bitset, population: Bitset, sets: Mapping[str, Bitset]) -> Breakdown:
    """Sets that exclude each other; who is in none is `unknown`."""
    shares = [Share(name, len(group & one), len(population & one)) for name, one in sets.items()]
    rest = Share(
        UNKNOWN,
        len(group) - sum(one.group for one in shares),
        len(population) - sum(one.population for one in shares),
    )
    return Breakdown(key, True, (*shares, rest))


def _overlapping(key: str, group: Bitset, population: Bitset, sets: Mapping[str, Bitset]) -> Breakdown:
    shares = (Share(name, len(group & one), len(population & one)) for name, one in sets.items())
    return Breakdown(key, False, tuple(one for one in shares if one.population))


def _category(key: str, group: Bitset, population: Bitset, evaluation: Evaluation) -> Breakdown:
    """The commonest values of a column of profiles, then `other` and `unknown`."""
    profiles = evaluation.warehouse.relation("profiles")
    rows = evaluation.reader.table(profiles.filter(profiles[key].notnull()).select("customer_key", key))
    keys = rows.column("customer_key").to_numpy()
    within = keys < evaluation.size
    labels = rows.column(key).combine_chunks().dictionary_encode()
    codes = np.asarray(labels.indices)[within]
    names = [str(name) for name in labels.dictionary.to_pylist()]

    def counted(of: Bitset) -> list[int]:
        chosen = of.mask()[keys[within]]
        return [int(count) for count in np.bincount(codes[chosen], minlength=len(names))]

    counts = zip(names, counted(group), counted(population), strict=True)
    ordered = sorted((Share(*one) for one in counts), key=lambda one: (-one.population, one.value))
    ordered = [one for one in ordered if one.population]
    shown, others = ordered[:MOST_VALUES], ordered[MOST_VALUES:]
    if others:
        shown.append(Share(OTHER, sum(one.group for one in others), sum(one.population for one in others)))
    known = (sum(one.group for one in shown), sum(one.population for one in shown))
    return Breakdown(key, True, (*shown, Share(UNKNOWN, len(group) - known[0], len(population) - known[1])))


def _spend(group: Bitset, population: Bitset, evaluation: Evaluation) -> tuple[Spend, Spend]:
    profiles = evaluation.warehouse.relation("profiles")
    rows = evaluation.reader.table(
        profiles.filter(profiles.store_spend_micros > 0).select("customer_key", "store_spend_micros")
    )
    keys = rows.column("customer_key").to_numpy()
    within = keys < evaluation.size
    spent = rows.column("store_spend_micros").filter(pa.array(within)).to_numpy()

    def of(members: Bitset) -> Spend:
        chosen = spent[members.mask()[keys[within]]]
        return Spend(len(chosen), int(chosen.sum(dtype=np.int64)))

    return of(group), of(population)
