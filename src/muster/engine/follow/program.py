"""Many definitions as one program over the truths of their atoms: an atom is a number, a set of customers an integer.

Bit `i` of a mask stands for the i-th of the customers that are asked about. However many groups share an atom, it is
asked once, and for one customer the algebra of a hundred groups takes a fraction of a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.engine.atoms import Atom
from muster.engine.context import Context
from muster.engine.plan import And, Everybody, Expression, Not, Or, Plan, population_expression
from muster.engine.refresh import in_order
from muster.rules.nodes import Definition, GroupCondition

# A number: the mask of that atom. A pair: an operation and what it is done to.
_Node = Any
_AND, _OR, _NOT, _EVERYBODY = range(4)


class Truths(Protocol):
    """Who of the customers asked about satisfies an atom; `count`: how many are asked about."""

    count: int

    def masks(self, atoms: Sequence[Atom]) -> list[int]: ...


@dataclass(frozen=True)
class Outcome:
    """Masks: of the populations by app, and of the members by group."""

    populations: Mapping[str | None, int]
    members: Mapping[str, int]


class Program:
    """The plans of segments, those that others refer to first (G-9); ranks in them have their limits already."""

    def __init__(self, definitions: Mapping[str, Definition], plans: Mapping[str, Plan], context: Context) -> None:
        self._numbers: dict[Atom, int] = {}
        self._groups: dict[int, str] = {}
        self._order = [
            (group, definitions[group].app, self._compiled(plans[group].members)) for group in in_order(definitions)
        ]
        apps = dict.fromkeys(app for _, app, _ in self._order)
        self._populations = [(app, self._compiled(population_expression(app, context))) for app in apps]
        self._own = [(number, atom) for atom, number in self._numbers.items() if number not in self._groups]

    @property
    def atoms(self) -> list[Atom]:
        """What is asked of customers' own rows, each once."""
        return [atom for _, atom in self._own]

    @property
    def groups(self) -> set[str]:
        """The groups that others refer to, whether they are of the program or not."""
        return set(self._groups.values())

    def run(self, truths: Truths, outside: Callable[[str], int]) -> Outcome:
        """`outside`: who of the customers is in a group that is not of the program."""
        masks = [0] * len(self._numbers)
        for (number, _), mask in zip(self._own, truths.masks(self.atoms), strict=True):
            masks[number] = mask
        ours = {group for group, _, _ in self._order}
        referred: dict[str, int] = {}
        for number, group in self._groups.items():
            referred[group] = number
            if group not in ours:
                masks[number] = outside(group)
        everybody = (1 << truths.count) - 1
        populations = {app: _value(node, masks, everybody) for app, node in self._populations}
        members: dict[str, int] = {}
        for group, app, node in self._order:
            population = populations[app]
            members[group] = population & _value(node, masks, population)
            if group in referred:
                masks[referred[group]] = members[group]
        return Outcome(populations, members)

    def _compiled(self, expression: Expression) -> _Node:
        match expression:
            case And():
                return _AND, tuple(self._compiled(part) for part in expression.parts)
            case Or():
                return _OR, tuple(self._compiled(part) for part in expression.parts)
            case Not():
                return _NOT, self._compiled(expression.part)
            case Everybody():
                return _EVERYBODY, None
            case _:
                number = self._numbers.setdefault(expression, len(self._numbers))
                if isinstance(expression, GroupCondition):
                    self._groups[number] = expression.group
                return number


def _value(node: _Node, masks: list[int], everybody: int) -> int:
    """Complements and `everyone` are within `everybody`."""
    if node.__class__ is int:
        return masks[node]
    operation, parts = node
    if operation == _AND:
        found = everybody
        for part in parts:
            found &= _value(part, masks, everybody)
            if not found:
                break
        return found
    if operation == _OR:
        found = 0
        for part in parts:
            found |= _value(part, masks, everybody)
        return found
    return everybody & ~_value(parts, masks, everybody) if operation == _NOT else everybody
