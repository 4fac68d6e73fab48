"""Atoms: the positive questions a definition comes down to, asked once however many segments share them.

An atom is resolved: its app is decided and its operator positive, because negation is always against the population
(G-3) and therefore algebra. Atoms are frozen dataclasses: equal questions are equal keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from muster.rules.nodes import (
    AttributeCondition,
    DeviceCondition,
    EventCondition,
    GroupCondition,
    SampleCondition,
    SequenceCondition,
)


@dataclass(frozen=True)
class PopulationKey:
    """What decides who is in a population, under one context."""

    app: str | None


@dataclass(frozen=True)
class Ranked:
    """A condition that compares customers with each other: its threshold depends on the population (G-5)."""

    condition: AttributeCondition | EventCondition
    population: PopulationKey


@dataclass(frozen=True)
class Beyond:
    """Customers at or beyond a threshold that was found before: a rank as it stands until the next full refresh.

    `limit` None: nobody had a value then.
    """

    ranked: Ranked
    limit: float | None


@dataclass(frozen=True)
class Acquired:
    """Customers who have acquired the app (any app, if None)."""

    app: str | None


@dataclass(frozen=True)
class Excluded:
    """Customers whom no segment may reach, whatever the app: objected to profiling, too young, of unknown age."""

    reason: Literal["profiling_denied", "too_young", "age_unknown"]


Atom = (
    AttributeCondition
    | EventCondition
    | SequenceCondition
    | GroupCondition
    | SampleCondition
    | DeviceCondition
    | Ranked
    | Beyond
    | Acquired
    | Excluded
)
