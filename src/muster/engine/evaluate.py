"""The fast engine: atoms are asked of the warehouse, each once; definitions are algebra over the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ibis.expr.types as ir
import numpy as np

# Importing the compilers registers them.
from muster.engine.atoms import Acquired, Atom, Beyond, Excluded, PopulationKey, Ranked
from muster.engine.bitset import Bitset, BitsetBuilder, from_mask
from muster.engine.compile import attributes, events, people, ranks  # noqa: F401 - registers the compilers
from muster.engine.compile.registry import Keys, Subjects, Values, Where, compiled_kinds, question
from muster.engine.context import Context
from muster.engine.plan import And, Everybody, Expression, Not, Or, Plan, population_expression
from muster.engine.ranking import beyond, threshold
from muster.kernel.bucketing import bucket
from muster.kernel.errors import InternalError
from muster.rules.nodes import (
    AttributeCondition,
    DeviceCondition,
    EventCondition,
    GroupCondition,
    SampleCondition,
    SequenceCondition,
)
from muster.warehouse.port import Reader, Warehouse

_ASKED = {
    AttributeCondition,
    EventCondition,
    SequenceCondition,
    SampleCondition,
    DeviceCondition,
    Ranked,
    Acquired,
    Excluded,
}
if missing := _ASKED - compiled_kinds():
    raise InternalError(f"no compiler for {missing}")

Membership = Callable[[str], Bitset]
"""The members of a group by id, in the key space of the evaluation."""


@dataclass(frozen=True)
class Result:
    """What a definition selects, and out of whom."""

    population: Bitset
    members: Bitset


@dataclass
class Evaluation:
    """Answers definitions at one instant over one state of the warehouse; remembers the atoms it has asked.

    `size`: one more than the greatest customer key. `groups`: the members of other groups. Not shared between threads.
    """

    context: Context
    warehouse: Warehouse
    reader: Reader
    size: int
    groups: Membership
    known: dict[Atom, Bitset] = field(default_factory=dict)
    thresholds: dict[Ranked, float | None] = field(default_factory=dict)
    _populations: dict[PopulationKey, Bitset] = field(default_factory=dict)

    def result(self, plan: Plan) -> Result:
        """Evaluates a whole definition."""
        population = self.value(plan.population, None)
        return Result(population, population & self.value(plan.members, population))

    def population(self, app: str | None) -> Bitset:
        """Who may be in a segment of the app (G-1)."""
        key = PopulationKey(app)
        if key not in self._populations:
            self._populations[key] = self.value(population_expression(app, self.context), None)
        return self._populations[key]

    def value(self, expression: Expression, population: Bitset | None) -> Bitset:
        """The set of an expression; complements and `everyone` are within the population (of all keys, if None)."""
        match expression:
            case And():
                return _fold(np.bitwise_and, (self.value(part, population) for part in expression.parts))
            case Or():
                return _fold(np.bitwise_or, (self.value(part, population) for part in expression.parts))
            case Not():
                return self._everybody(population) - self.value(expression.part, population)
            case Everybody():
                return self._everybody(population)
            case _:
                return self.atom(expression)

    def _everybody(self, population: Bitset | None) -> Bitset:
        return self._all if population is None else population

    @cached_property
    def _all(self) -> Bitset:
        return from_mask(np.ones(self.size, np.bool_), self.size)

    def atom(self, atom: Atom) -> Bitset:
        """The set of one atom, asked the first time."""
        if isinstance(atom, GroupCondition):
            return self.groups(atom.group)
        found = self.known.get(atom)
        if found is None:
            found = self.known[atom] = self._ask(atom)
        return found

    def _ask(self, atom: Atom) -> Bitset:
        if isinstance(atom, Beyond):
            return self._beyond(atom)
        asked = question(atom, self.context, self.warehouse)
        match asked:
            case Keys():
                return self._complemented(self._keys(asked.rows), asked.complement)
            case Where():
                return self._complemented(self._keys(asked.keys().rows), asked.complement)
            case Values():
                assert isinstance(atom, Ranked)
                return self._ranked(atom, asked)
            case Subjects():
                return self._sampled(asked)

    def ask_together(self, atoms: Iterable[Atom]) -> None:
        """Asks atoms that are filters on the same rows in one scan of them; the others are left for their turn."""
        filters: dict[Any, list[tuple[Atom, Where]]] = {}
        for atom in atoms:
            if isinstance(atom, GroupCondition | Ranked | Beyond) or atom in self.known:
                continue
            asked = question(atom, self.context, self.warehouse)
            if isinstance(asked, Where):
                filters.setdefault(asked.table.op(), []).append((atom, asked))
        for together in filters.values():
            if len(together) > 1:
                self._scan(together)

    def _scan(self, together: list[tuple[Atom, Where]]) -> None:
        table = together[0][1].table
        columns = {f"holds_{index}": asked.holds.fill_null(False) for index, (_, asked) in enumerate(together)}
        builders = [BitsetBuilder(self.size) for _ in together]
        for batch in self.reader.batches(table.select("customer_key", **columns)):
            keys = batch.column(0).to_numpy()
            for index, builder in enumerate(builders, start=1):
                builder.add_where(keys, batch.column(index).to_numpy(zero_copy_only=False))
        for (atom, asked), builder in zip(together, builders, strict=True):
            self.known[atom] = self._complemented(builder.build(), asked.complement)

    def _complemented(self, found: Bitset, complement: bool) -> Bitset:
        return self._all - found if complement else found

    def _keys(self, rows: ir.Table) -> Bitset:
        builder = BitsetBuilder(self.size)
        for batch in self.reader.batches(rows):
            keys = batch.column("customer_key").to_numpy(zero_copy_only=False)
            builder.add(keys)
        return builder.build()

    def _ranked(self, atom: Ranked, asked: Values) -> Bitset:
        """The threshold is taken within the population; who is beyond it is cut to the population by the algebra."""
        table = self.reader.table(asked.rows)
        keys = table.column("customer_key").to_numpy()
        values = table.column("value").to_numpy()
        inside = self.population(atom.population.app).mask()
        eligible = (keys < self.size) & inside[np.minimum(keys, self.size - 1)]
        keys, values = keys[eligible], values[eligible]
        limit = threshold(values, asked.op, asked.argument)
        self.thresholds[atom] = limit
        if limit is None:
            return Bitset.empty(self.size)
        return Bitset.from_keys(keys[beyond(values, asked.op, limit)], self.size)

    def _beyond(self, atom: Beyond) -> Bitset:
        """Whoever is at or beyond a threshold that is given, whatever others have."""
        asked = question(atom.ranked, self.context, self.warehouse)
        assert isinstance(asked, Values)
        if atom.limit is None:
            return Bitset.empty(self.size)
        builder = BitsetBuilder(self.size)
        for batch in self.reader.batches(asked.rows):
            values = batch.column("value").to_numpy(zero_copy_only=False)
            builder.add_where(
                batch.column("customer_key").to_numpy(zero_copy_only=False), beyond(values, asked.op, atom.limit)
            )
        return builder.build()

    def _sampled(self, asked: Subjects) -> Bitset:
        builder = BitsetBuilder(self.size)
        for batch in self.reader.batches(asked.rows):
            keys = batch.column("customer_key").to_numpy(zero_copy_only=False)
            subjects = batch.column("subject").to_pylist()
            chosen = [subject is not None and bucket(asked.salt, subject) < asked.basis_points for subject in subjects]
            keys = keys[np.array(chosen, np.bool_)]
            builder.add(keys)
        return builder.build()


def _fold(operation: np.ufunc, parts: Iterable[Bitset]) -> Bitset:
    """One operation over many sets, into one buffer."""
    iterator = iter(parts)
    first = next(iterator)
    words = first.words.copy()
    for part in iterator:
        operation(words, part.words, out=words)
    return Bitset(words, first.size)


def members_from(bitsets: Mapping[str, Bitset]) -> Membership:
    """Memberships out of a mapping; a group that is not in it is a broken promise of the caller."""

    def members(group: str) -> Bitset:
        if group not in bitsets:
            raise InternalError(f"the members of group {group} were not supplied")
        return bitsets[group]

    return members
