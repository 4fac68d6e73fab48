"""The meaning of a definition: plain Python over one customer's rows after the other, unoptimised and obvious.

The fast engine must equal it on every definition and every data set; where they differ, this one is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from muster.engine.context import Context
from muster.engine.moments import start_of
from muster.engine.plan import measure_type, resolve_app, type_of
from muster.engine.ranking import rank_count, rank_holds
from muster.engine.reference.comparison import holds
from muster.engine.reference.values import (
    active_devices,
    age_of,
    attribute_values,
    device_value,
    property_value,
    ranked_value,
)
from muster.kernel.bucketing import bucket
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Definition,
    DeviceCondition,
    EventCondition,
    Everyone,
    GroupCondition,
    Measure,
    Node,
    NoneOf,
    PropertyFilter,
    SampleCondition,
    SequenceCondition,
    Step,
    Window,
)
from muster.rules.operators import OPERATORS, RANK_OPERATORS
from muster.rules.vocabulary import Type
from muster.warehouse.port import Person, PersonEvent

Threshold = Callable[[AttributeCondition | EventCondition, str | None], float | None]
"""Where the top n % of a resolved condition begins, in the population of an app."""


class Members(Protocol):
    """The members of a group: a set, a roaring bitmap, a bitset."""

    def __contains__(self, key: int, /) -> bool: ...


@dataclass(frozen=True)
class World:
    """What else a customer's truth depends on: the members of other groups, the thresholds of ranks."""

    context: Context
    groups: Mapping[str, Members] = field(default_factory=dict)
    threshold: Threshold | None = None


def members(definition: Definition, people: Iterable[Person], world: World) -> set[int]:
    """The keys of everybody the definition selects."""
    everybody = list(people)
    ranked = replace(world, threshold=thresholds_among(everybody, world.context))
    return {
        person.customer_key
        for person in everybody
        if in_population(person, definition.app, world.context)
        and truth(definition.match, person, definition.app, ranked)
    }


def in_population(person: Person, app: str | None, context: Context) -> bool:
    """G-1: has the app, has not objected, is not known to be too young."""
    return (
        has_acquired(person, app, context)
        and not person.profile.get("profiling_denied")
        and _old_enough(person, context)
    )


def has_acquired(person: Person, app: str | None, context: Context) -> bool:
    """The app, or any app if None, by now."""
    return any(
        row.get("acquired_at") is not None and row["acquired_at"] <= context.now
        for key, row in person.app_facts.items()
        if app in (None, key)
    )


def _old_enough(person: Person, context: Context) -> bool:
    age = age_of(person, context)
    return not context.require_known_age if age is None else age >= context.minimum_age


def truth(node: Node, person: Person, app: str | None, world: World) -> bool:
    """Whether one customer of the population satisfies a node; `app` is the definition's."""
    match node:
        case All():
            return all(truth(child, person, app, world) for child in node.nodes)
        case AnyOf():
            return any(truth(child, person, app, world) for child in node.nodes)
        case NoneOf():
            return not any(truth(child, person, app, world) for child in node.nodes)
        case Everyone():
            return True
        case GroupCondition():
            return person.customer_key in world.groups[node.group]
        case SampleCondition():
            return bucket(node.salt, person.profile["subject"]) < node.basis_points
        case DeviceCondition():
            return any(
                all(device_holds(device, one, world.context) for one in node.conditions)
                for device in active_devices(person, app, world.context)
            )
        case SequenceCondition():
            return bool(sequence_ends(node, person, app, world.context))
        case AttributeCondition() | EventCondition():
            return _condition(resolve_app(node, app, world.context), person, app, world)


def _condition(condition: AttributeCondition | EventCondition, person: Person, app: str | None, world: World) -> bool:
    """A negative operator is true exactly where its positive one is not."""
    negated = OPERATORS[type_of(condition, world.context)][condition.op].negates
    if negated is not None:
        return not _condition(replace(condition, op=negated), person, app, world)
    if condition.op in RANK_OPERATORS:
        return _ranks(condition, person, app, world)
    if isinstance(condition, AttributeCondition):
        type = world.context.attribute(condition.attribute).type
        values = attribute_values(person, condition, world.context)
        return any(holds(type, condition.op, value, condition.value, world.context) for value in values)
    value = measured(condition, person, world.context)
    return holds(measure_type(condition.measure), condition.op, value, condition.value, world.context)


def device_holds(device: dict[str, Any], condition: AttributeCondition, context: Context) -> bool:
    """One condition on one device; a missing value satisfies the negative operators (G-3)."""
    attribute = context.attribute(condition.attribute)
    negated = OPERATORS[attribute.type][condition.op].negates
    found = holds(attribute.type, negated or condition.op, device_value(device, attribute), condition.value, context)
    return not found if negated else found


def event_holds(event: PersonEvent, where: tuple[PropertyFilter, ...], context: Context) -> bool:
    """Whether one event satisfies all its property filters; a missing property satisfies the negative ones."""
    return all(_property_holds(event, wanted, context) for wanted in where)


def _property_holds(event: PersonEvent, wanted: PropertyFilter, context: Context) -> bool:
    negated = OPERATORS[wanted.type][wanted.op].negates
    value = property_value(event.properties, wanted.property, wanted.type)
    found = holds(wanted.type, negated or wanted.op, value, wanted.value, context)
    return not found if negated else found


def in_window(instant: datetime, window: Window | None, context: Context) -> bool:
    """`last P` is (now - P, now]; `from`..`to` is half-open; later events than now never count."""
    if instant > context.now:
        return False
    if window is None:
        return True
    if window.last is not None:
        return instant > context.now - window.last
    started = window.start is None or instant >= start_of(window.start, context)
    return started and (window.end is None or instant < start_of(window.end, context))


def matching_events(condition: EventCondition, person: Person, context: Context) -> list[PersonEvent]:
    """The customer's events that count for a condition whose app is resolved, oldest first."""
    return _matching(condition.event, condition.where, condition.app, condition.when, person, context)


def _matching(
    event: str,
    where: tuple[PropertyFilter, ...],
    app: str | None,
    when: Window | None,
    person: Person,
    context: Context,
) -> list[PersonEvent]:
    return [
        one
        for one in person.events
        if one.event == event
        and app in (None, one.app)
        and in_window(one.happened_at, when, context)
        and event_holds(one, where, context)
    ]


def measured(condition: EventCondition, person: Person, context: Context) -> Any:
    """The measure over the matching events. Without any: count, sum and distinct are 0, the others missing."""
    found = matching_events(condition, person, context)
    measure = condition.measure
    if measure.kind == "count":
        return len(found)
    if measure.kind in ("first_at", "last_at"):
        times = [event.happened_at for event in found]
        return None if not times else (min(times) if measure.kind == "first_at" else max(times))
    type = measured_type(measure, condition.event, context)
    assert measure.property is not None
    read = [property_value(event.properties, measure.property, type) for event in found]
    values = [value for value in read if value is not None]
    if measure.kind == "sum":
        return sum(values, Decimal(0))
    if measure.kind == "distinct":
        return len({repr(value) for value in values})
    if not values:
        return None
    if measure.kind == "avg":
        return float(sum(values, Decimal(0))) / len(values)
    return min(values) if measure.kind == "min" else max(values)


def measured_type(measure: Measure, event: str, context: Context) -> Type:
    """Sums and means add exact decimals; the rest reads the property as the catalog types it."""
    if measure.kind in ("sum", "avg"):
        return Type.MONEY
    if measure.kind in ("min", "max"):
        return Type.NUMBER
    return context.event(event).properties.get(measure.property or "", Type.TEXT)


def sequence_ends(condition: SequenceCondition, person: Person, app: str | None, context: Context) -> list[datetime]:
    """The instants at which the last step was reached, each step strictly after the one before."""
    wanted_app = condition.app or app
    reached: list[datetime] | None = None
    for step in condition.steps:
        times = [
            event.happened_at
            for event in _matching(step.event, step.where, wanted_app, condition.when, person, context)
        ]
        reached = times if reached is None else [at for at in times if _follows(at, reached, step)]
    return reached or []


def _follows(at: datetime, earlier: list[datetime], step: Step) -> bool:
    return any(before < at and (step.within is None or at - before <= step.within) for before in earlier)


def _ranks(condition: AttributeCondition | EventCondition, person: Person, app: str | None, world: World) -> bool:
    value = rank_value(condition, person, world.context)
    assert world.threshold is not None
    limit = world.threshold(condition, app)
    if value is None or limit is None:
        return False
    return rank_holds(value, condition.op, limit)


def rank_value(condition: AttributeCondition | EventCondition, person: Person, context: Context) -> float | None:
    """The value by which a customer is ranked; None if nothing stands behind it."""
    if isinstance(condition, AttributeCondition):
        return ranked_value(person, condition, context)
    if not matching_events(condition, person, context):
        return None
    value = measured(condition, person, context)
    return None if value is None else float(value)


def thresholds_among(people: list[Person], context: Context) -> Threshold:
    """G-5 by sorting: the smallest value of the top ceil(n % of those with a value) customers of the population."""

    def threshold(condition: AttributeCondition | EventCondition, app: str | None) -> float | None:
        population = [person for person in people if in_population(person, app, context)]
        values = [value for person in population if (value := rank_value(condition, person, context)) is not None]
        count = rank_count(condition.op, condition.value, len(values))
        if count == 0:
            return None
        return sorted(values, reverse=condition.op != "bottom_percent")[count - 1]

    return threshold
