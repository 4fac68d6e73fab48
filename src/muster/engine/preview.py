"""What an unsaved definition would select: exact size, waterfall, sample, overlap, predicted change (G-14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation
from muster.engine.plan import Everybody, Expression, expression_of, plan
from muster.rules.nodes import All, AnyOf, Definition, Node, NoneOf

SAMPLE_SIZE = 10


@dataclass(frozen=True)
class WaterfallStep:
    """One condition at the top of the definition: how many it alone selects, how many are left after it."""

    pointer: str
    node: Node
    alone: int
    after: int


@dataclass(frozen=True)
class Preview:
    """Sizes are exact. `joined` and `left` are against the saved members, None for a new definition.

    `alone`: by JSON Pointer how many every node selects by itself; only where it was asked for.
    """

    size: int
    available_customers: int
    waterfall: tuple[WaterfallStep, ...]
    sample: tuple[int, ...]
    overlap: Mapping[str, int]
    joined: int | None
    left: int | None
    members: Bitset
    alone: Mapping[str, int] = field(default_factory=dict)


def preview(
    definition: Definition,
    evaluation: Evaluation,
    *,
    saved: Bitset | None = None,
    compared: Mapping[str, Bitset] | None = None,
    every_node: bool = False,
) -> Preview:
    """Evaluates a definition; atoms already known to `evaluation` cost nothing.

    `saved`: the members of the version being edited; `compared`: up to three groups to overlap with.
    """
    result = evaluation.result(plan(definition, evaluation.context))
    return Preview(
        size=len(result.members),
        available_customers=len(result.population),
        waterfall=_waterfall(definition, evaluation, result.population),
        sample=tuple(result.members.first(SAMPLE_SIZE)),
        overlap={group: len(result.members & members) for group, members in (compared or {}).items()},
        joined=None if saved is None else len(result.members - saved),
        left=None if saved is None else len(saved - result.members),
        members=result.members,
        alone=dict(_alone(definition, evaluation, result.population)) if every_node else {},
    )


def _waterfall(definition: Definition, evaluation: Evaluation, population: Bitset) -> tuple[WaterfallStep, ...]:
    steps: list[WaterfallStep] = []
    remaining = population
    for pointer, node in top_conditions(definition):
        expression: Expression = expression_of(node, definition.app, evaluation.context)
        selected = population if isinstance(expression, Everybody) else evaluation.value(expression, population)
        remaining = remaining & selected
        steps.append(WaterfallStep(pointer, node, len(population & selected), len(remaining)))
    return tuple(steps)


def _alone(definition: Definition, evaluation: Evaluation, population: Bitset) -> Iterator[tuple[str, int]]:
    for pointer, node in _every_node(definition.match, "/match"):
        expression = expression_of(node, definition.app, evaluation.context)
        selected = population if isinstance(expression, Everybody) else evaluation.value(expression, population)
        yield pointer, len(population & selected)


def _every_node(node: Node, pointer: str) -> Iterator[tuple[str, Node]]:
    yield pointer, node
    kind = {All: "all", AnyOf: "any", NoneOf: "none"}.get(type(node))
    if isinstance(node, All | AnyOf | NoneOf):
        for place, child in enumerate(node.nodes):
            yield from _every_node(child, f"{pointer}/{kind}/{place}")


def top_conditions(definition: Definition) -> list[tuple[str, Node]]:
    """The parts that narrow the population one after the other: the children of a root `all`, else the root."""
    if isinstance(definition.match, All):
        return [(f"/match/all/{index}", node) for index, node in enumerate(definition.match.nodes)]
    return [("/match", definition.match)]
