"""Why somebody is or is not in a group: the definition as a tree with the values seen (G-18).

Asked of the reference engine over the customer's own rows: milliseconds, and right by definition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from muster.engine.plan import resolve_app, type_of
from muster.engine.reference.evaluate import (
    World,
    in_population,
    matching_events,
    measured,
    sequence_ends,
    truth,
)
from muster.engine.reference.timeline import Timeline, combine, population_timeline, timeline
from muster.engine.reference.values import active_devices, attribute_values
from muster.kernel.bucketing import bucket
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    Definition,
    DeviceCondition,
    EventCondition,
    Everyone,
    GroupCondition,
    Node,
    NoneOf,
    SampleCondition,
    SequenceCondition,
)
from muster.rules.operators import RANK_OPERATORS
from muster.rules.vocabulary import Type
from muster.warehouse.port import Person, PersonEvent

NEWEST_EVENTS = 3
Kind = Literal["all", "any", "none", "attribute", "event", "sequence", "group", "sample", "device", "everyone"]


@dataclass(frozen=True)
class Explained:
    """One node: its truth, the value seen (None if missing), the newest deciding events, when it changes by itself.

    `pointer` is the JSON Pointer of the node inside the definition.
    """

    pointer: str
    kind: Kind
    node: Node
    truth: bool
    seen: Any = None
    threshold: float | None = None
    events: tuple[PersonEvent, ...] = ()
    changes_at: datetime | None = None
    children: tuple[Explained, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Membership = in the population and the tree is true."""

    member: bool
    in_population: bool
    changes_at: datetime | None
    tree: Explained


def explain(definition: Definition, person: Person, world: World) -> Explanation:
    """The whole tree for one customer; `world.threshold` must know the ranks the definition uses."""
    population = population_timeline(person, definition.app, world.context)
    future = timeline(definition.match, person, definition.app, world)
    whole = combine(all, [population, future])
    return Explanation(
        member=whole.now,
        in_population=in_population(person, definition.app, world.context),
        changes_at=whole.changes_at,
        tree=_explained(definition.match, "/match", person, definition.app, world),
    )


def _explained(node: Node, pointer: str, person: Person, app: str | None, world: World) -> Explained:
    future: Timeline = timeline(node, person, app, world)
    match node:
        case All() | AnyOf() | NoneOf():
            kind: Kind = "all" if isinstance(node, All) else "any" if isinstance(node, AnyOf) else "none"
            children = tuple(
                _explained(child, f"{pointer}/{kind}/{index}", person, app, world)
                for index, child in enumerate(node.nodes)
            )
            return Explained(pointer, kind, node, future.now, changes_at=future.changes_at, children=children)
        case _:
            leaf = _seen(node, pointer, person, app, world)
            return replace(leaf, truth=future.now, changes_at=future.changes_at)


def _seen(node: Condition, pointer: str, person: Person, app: str | None, world: World) -> Explained:
    """The leaf with what was seen; its truth and future are filled in by the caller."""
    context = world.context
    match node:
        case AttributeCondition() | EventCondition():
            return _condition_seen(node, pointer, person, app, world)
        case SequenceCondition():
            ends = sequence_ends(node, person, app, context)
            last = node.steps[-1].event
            deciding = tuple(e for e in person.events if e.event == last and e.happened_at in set(ends))
            return Explained(pointer, "sequence", node, False, len(ends), events=deciding[-NEWEST_EVENTS:][::-1])
        case GroupCondition():
            return Explained(pointer, "group", node, False, truth(node, person, app, world))
        case SampleCondition():
            return Explained(pointer, "sample", node, False, bucket(node.salt, person.profile["subject"]))
        case DeviceCondition():
            return Explained(pointer, "device", node, False, active_devices(person, app, context))
        case Everyone():
            return Explained(pointer, "everyone", node, False)


def _condition_seen(
    node: AttributeCondition | EventCondition, pointer: str, person: Person, app: str | None, world: World
) -> Explained:
    condition = resolve_app(node, app, world.context)
    ranked = condition.op in RANK_OPERATORS
    threshold = world.threshold(condition, app) if ranked and world.threshold else None
    if isinstance(condition, EventCondition):
        found = tuple(matching_events(condition, person, world.context))[-NEWEST_EVENTS:][::-1]
        seen = measured(condition, person, world.context)
        return Explained(pointer, "event", node, False, seen, threshold, found)
    values = [value for value in attribute_values(person, condition, world.context) if value is not None]
    if threshold is not None and type_of(condition, world.context) is Type.MONEY:
        # Ranked in micros, shown in the currency.
        threshold /= 1_000_000
    return Explained(pointer, "attribute", node, False, _single(values), threshold)


def _single(values: list[Any]) -> Any:
    """One value as itself, several (apps, devices) as a list, none as None."""
    return values[0] if len(values) == 1 else values or None
