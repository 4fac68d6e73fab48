"""Many definitions at one instant: every distinct atom is asked once, the rest is algebra."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from muster.engine.atoms import Atom, Ranked
from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation, Result
from muster.engine.plan import atoms_of, leaves, plan
from muster.kernel.errors import MusterError
from muster.kernel.worded import worded
from muster.rules.nodes import Definition, GroupCondition

Progress = Callable[[int, int], None]
"""Called with the number of definitions done and of all."""


@dataclass(frozen=True)
class Refreshed:
    """Results by group id, and where each rank began, for explanations until the next refresh."""

    results: Mapping[str, Result]
    thresholds: Mapping[Ranked, float | None]


def refresh(
    definitions: Mapping[str, Definition], evaluation: Evaluation, progress: Progress | None = None
) -> Refreshed:
    """Evaluates segments together, those that others refer to first (G-9).

    Groups that are referred to but not among `definitions` come from the evaluation's own memberships.
    """
    results: dict[str, Result] = {}
    outside = evaluation.groups

    def members(group: str) -> Bitset:
        return results[group].members if group in results else outside(group)

    evaluation.groups = members
    evaluation.ask_together(distinct_atoms(definitions.values(), evaluation))
    try:
        for done, group in enumerate(in_order(definitions), start=1):
            results[group] = evaluation.result(plan(definitions[group], evaluation.context))
            if progress is not None:
                progress(done, len(definitions))
    finally:
        evaluation.groups = outside
    return Refreshed(results, dict(evaluation.thresholds))


def in_order(definitions: Mapping[str, Definition]) -> list[str]:
    """Group ids so that every group stands behind those it refers to; `reference_cycle` names the way around."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for group, definition in definitions.items():
        sorter.add(group, *(one for one in groups_of(definition) if one in definitions))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        path = list(error.args[1])
        raise MusterError(
            worded(
                "Groups refer to each other in a circle: {way}. Remove one of the references.", way=" > ".join(path)
            ),
            code="reference_cycle",
            details={"path": path},
        ) from error


def groups_of(definition: Definition) -> Iterable[str]:
    return (leaf.group for leaf in leaves(definition.match) if isinstance(leaf, GroupCondition))


def distinct_atoms(definitions: Iterable[Definition], evaluation: Evaluation) -> list[Atom]:
    """The atoms of all definitions and their populations, each once, in order of first need."""
    found: dict[Atom, None] = {}
    for definition in definitions:
        whole = plan(definition, evaluation.context)
        for expression in (whole.population, whole.members):
            found.update(dict.fromkeys(atoms_of(expression)))
    return list(found)
