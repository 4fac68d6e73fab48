"""A handful of customers by the reference engine, over their own rows: milliseconds, and right by definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from muster.engine.atoms import Atom
from muster.engine.context import Context
from muster.engine.reference.atoms import satisfies
from muster.warehouse.port import Person


class Few:
    """`people` by key; of the keys asked about, those that are no customer's satisfy nothing."""

    def __init__(self, keys: Sequence[int], people: Mapping[int, Person], context: Context) -> None:
        self.count = len(keys)
        self._people = [(1 << place, people[key]) for place, key in enumerate(keys) if key in people]
        self._context = context

    def masks(self, atoms: Sequence[Atom]) -> list[int]:
        return [sum(bit for bit, person in self._people if satisfies(atom, person, self._context)) for atom in atoms]
