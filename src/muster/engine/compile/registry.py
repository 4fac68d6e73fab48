"""One compiler function per kind of atom, found by its type; a kind without one fails when the engine is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import ibis.expr.types as ir

from muster.engine.atoms import Atom
from muster.engine.context import Context
from muster.rules.nodes import Value
from muster.warehouse.port import Relations


@dataclass(frozen=True)
class Keys:
    """Customers who satisfy the atom: a relation with `customer_key`, any order, repetitions allowed.

    With `complement` the relation yields those who do NOT satisfy it: conditions that customers without any row
    satisfy ("fewer than 3 times") are asked the other way round (G-6).
    """

    rows: ir.Table
    complement: bool = False


@dataclass(frozen=True)
class Where:
    """Customers with a row of `table` on which `holds` is true; as a filter, so that many can share one scan."""

    table: ir.Table
    holds: ir.BooleanValue
    complement: bool = False

    def keys(self) -> Keys:
        """The same question asked alone."""
        return Keys(self.table.filter(self.holds).select("customer_key"), self.complement)


@dataclass(frozen=True)
class Values:
    """One value per customer, to be ranked within the population: `customer_key`, `value` (float64, never null)."""

    rows: ir.Table
    op: str
    argument: Value


@dataclass(frozen=True)
class Subjects:
    """Who falls into a sample is computed from the bucketing subjects: `customer_key`, `subject`."""

    rows: ir.Table
    basis_points: int
    salt: str


Question = Keys | Where | Values | Subjects
Compiler = Callable[[Any, Context, Relations], Question]

_COMPILERS: dict[type, Compiler] = {}
C = TypeVar("C", bound=Compiler)


def compiles(kind: type) -> Callable[[C], C]:
    """Registers the compiler of one kind of atom."""

    def register(function: C) -> C:
        _COMPILERS[kind] = function
        return function

    return register


def question(atom: Atom, context: Context, warehouse: Relations) -> Question:
    """What to ask the warehouse for an atom."""
    return _COMPILERS[type(atom)](atom, context, warehouse)


def compiled_kinds() -> frozenset[type]:
    return frozenset(_COMPILERS)
