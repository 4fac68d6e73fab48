"""Atoms as a few queries over the rows of some customers, compiled once for as long as their phase stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from muster.engine.atoms import Atom, Beyond
from muster.engine.compile.registry import Question, Where, question
from muster.engine.context import Context
from muster.engine.follow.phases import Phase, phase_of
from muster.rules.vocabulary import Type
from muster.warehouse.port import MovingQuery, PropertyColumn, Reader, Relations

# Phases change with the day; those of yesterday are asked no more.
_MOST_PHASES = 2
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Asked:
    """One query and the atoms it answers. `questions`: what each of them makes of its columns; of several, each is a
    boolean column."""

    atoms: tuple[Atom, ...]
    questions: tuple[Question, ...]
    rows: ir.Table
    query: MovingQuery | None = None

    def batches(self, reader: Reader, context: Context) -> Iterator[pa.RecordBatch]:
        return reader.batches(self.rows) if self.query is None else reader.moved(self.query, context.now)


_Making = Callable[[Context, Relations], Asked]


class Questions:
    """The queries of a fixed list of atoms; not shared between threads."""

    def __init__(self, atoms: Sequence[Atom]) -> None:
        self._atoms = list(atoms)
        self._compiled: dict[tuple[Phase | None, ...], list[_Making]] = {}

    def asked(self, context: Context, warehouse: Relations, reader: Reader) -> list[Asked]:
        """To be put to the reader at the context's instant. `warehouse`: of narrowed rows (`Narrow`)."""
        phases = tuple(phase_of(atom, context) for atom in self._atoms)
        found = self._compiled.get(phases)
        if found is None:
            found = [_compiled(make, context, reader, warehouse) for make in self._makings(phases, context, warehouse)]
            while len(self._compiled) >= _MOST_PHASES:
                del self._compiled[next(iter(self._compiled))]
            self._compiled[phases] = found
        always = [atom for atom, phase in zip(self._atoms, phases, strict=True) if phase is None]
        return [*(make(context, warehouse) for make in found), *(_alone(atom)(context, warehouse) for atom in always)]

    def _makings(self, phases: Sequence[Phase | None], context: Context, warehouse: Relations) -> list[_Making]:
        """Filters on the same rows are one query (as columns), all others one each."""
        together: dict[Any, list[Atom]] = {}
        alone: list[Atom] = []
        for atom, phase in zip(self._atoms, phases, strict=True):
            if phase is None:
                continue
            asked = _question(atom, context, warehouse)
            if isinstance(asked, Where):
                together.setdefault(asked.table.op(), []).append(atom)
            else:
                alone.append(atom)
        return [*(_scan(tuple(atoms)) for atoms in together.values()), *map(_alone, alone)]


def _question(atom: Atom, context: Context, warehouse: Relations) -> Question:
    return question(atom.ranked if isinstance(atom, Beyond) else atom, context, warehouse)


def _scan(atoms: tuple[Atom, ...]) -> _Making:
    def make(context: Context, warehouse: Relations) -> Asked:
        wheres = [_question(atom, context, warehouse) for atom in atoms]
        filters = tuple(one for one in wheres if isinstance(one, Where))
        columns = {f"holds_{place}": one.holds.fill_null(False) for place, one in enumerate(filters)}
        return Asked(atoms, filters, filters[0].table.select("customer_key", **columns))

    return make


def _alone(atom: Atom) -> _Making:
    def make(context: Context, warehouse: Relations) -> Asked:
        asked = _question(atom, context, warehouse)
        asked = asked.keys() if isinstance(asked, Where) else asked
        return Asked((atom,), (asked,), asked.rows)

    return make


def _compiled(make: _Making, context: Context, reader: Reader, warehouse: Relations) -> _Making:
    """What is made once, where the question only moves; otherwise it is made anew each time."""
    here = make(context, warehouse)
    for tick in (_TICK, -_TICK):
        then = context.at(context.now + tick)
        if all(phase_of(atom, then) == phase_of(atom, context) for atom in here.atoms):
            query = reader.moving(here.rows, make(then, warehouse).rows, context.now, then.now)
            if query is not None:
                made = replace(here, query=query)
                return lambda _context, _warehouse: made
    return make


class Narrow:
    """The warehouse as it is asked about some customers alone: few texts, so none of them are looked up beforehand."""

    def __init__(self, warehouse: Relations, reader: Reader) -> None:
        self._warehouse = warehouse
        self._reader = reader

    def relation(self, name: str) -> ir.Table:
        return self._warehouse.relation(name)

    def occurrences(self, event: int, columns: Sequence[PropertyColumn] = ()) -> ir.Table:
        return self._warehouse.occurrences(event, columns)

    def categories(self, _relation: str, _column: str) -> None:
        return None

    def labels(self, event: int, path: str) -> Sequence[str]:
        rows = self.occurrences(event, [PropertyColumn("label", path, Type.TEXT)])
        found = self._reader.table(rows.filter(rows.label.notnull()).select("label").distinct())
        return [str(label) for label in found.column("label").to_pylist()]
