"""From a definition to algebra over atoms: apps resolved, negative operators turned into complements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from muster.engine.atoms import Acquired, Atom, Beyond, Excluded, PopulationKey, Ranked
from muster.engine.context import Context
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
    Measure,
    Node,
    NoneOf,
    SampleCondition,
    SequenceCondition,
)
from muster.rules.operators import OPERATORS, RANK_OPERATORS
from muster.rules.vocabulary import Scope, Type


@dataclass(frozen=True)
class And:
    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Or:
    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Not:
    """The rest of the population."""

    part: Expression


@dataclass(frozen=True)
class Everybody:
    """The population."""


Expression = And | Or | Not | Everybody | Atom


@dataclass(frozen=True)
class Plan:
    """`members` is to be read within `population`."""

    population: Expression
    members: Expression


def plan(definition: Definition, context: Context) -> Plan:
    """The algebra of a definition under the context's settings."""
    return Plan(
        population=population_expression(definition.app, context),
        members=expression_of(definition.match, definition.app, context),
    )


def population_expression(app: str | None, context: Context) -> Expression:
    """G-1: has the app, has not objected to profiling, is old enough as far as is known."""
    rest: list[Expression] = [Not(Excluded("profiling_denied"))]
    if context.minimum_age > 0:
        rest.append(Not(Excluded("too_young")))
    if context.require_known_age:
        rest.append(Not(Excluded("age_unknown")))
    return And((Acquired(app), *rest))


def expression_of(node: Node, app: str | None, context: Context) -> Expression:
    """One node (and what is below it) as algebra; `app` is the definition's."""
    match node:
        case All():
            return And(tuple(expression_of(child, app, context) for child in node.nodes))
        case AnyOf():
            return Or(tuple(expression_of(child, app, context) for child in node.nodes))
        case NoneOf():
            return Not(Or(tuple(expression_of(child, app, context) for child in node.nodes)))
        case Everyone():
            return Everybody()
        case AttributeCondition() | EventCondition():
            return _positive(resolve_app(node, app, context), PopulationKey(app), context)
        case SequenceCondition():
            return replace(node, app=node.app or app)
        case DeviceCondition():
            return replace(node, conditions=tuple(replace(condition, app=app) for condition in node.conditions))
        case GroupCondition() | SampleCondition():
            return node


def with_limits(expression: Expression, limit: Callable[[Ranked], float | None]) -> Expression:
    """The same with every rank as it stands: at or beyond the threshold that `limit` knows of."""
    match expression:
        case And() | Or():
            return type(expression)(tuple(with_limits(part, limit) for part in expression.parts))
        case Not():
            return Not(with_limits(expression.part, limit))
        case Ranked():
            return Beyond(expression, limit(expression))
        case _:
            return expression


def resolve_app(
    condition: AttributeCondition | EventCondition, app: str | None, context: Context
) -> AttributeCondition | EventCondition:
    """The condition with the app it speaks of: its own, else the definition's; none for attributes of the customer."""
    if isinstance(condition, AttributeCondition) and context.attribute(condition.attribute).scope is Scope.CUSTOMER:
        return replace(condition, app=None)
    return replace(condition, app=condition.app or app)


def measure_type(measure: Measure) -> Type:
    """The type in which a measure over events is compared."""
    return Type.TIMESTAMP if measure.kind in ("first_at", "last_at") else Type.NUMBER


def type_of(condition: AttributeCondition | EventCondition, context: Context) -> Type:
    """The type a condition compares in."""
    if isinstance(condition, EventCondition):
        return measure_type(condition.measure)
    return context.attribute(condition.attribute).type


def _positive(
    condition: AttributeCondition | EventCondition, population: PopulationKey, context: Context
) -> Expression:
    negated = OPERATORS[type_of(condition, context)][condition.op].negates
    if negated is not None:
        return Not(replace(condition, op=negated))
    if condition.op in RANK_OPERATORS:
        return Ranked(condition, population)
    return condition


def atoms_of(expression: Expression) -> Iterator[Atom]:
    """Every atom of an expression, repetitions included."""
    match expression:
        case And() | Or():
            for part in expression.parts:
                yield from atoms_of(part)
        case Not():
            yield from atoms_of(expression.part)
        case Everybody():
            return
        case _:
            yield expression


def leaves(node: Node) -> Iterator[Condition]:
    """The conditions of a definition from first to last."""
    match node:
        case All() | AnyOf() | NoneOf():
            for child in node.nodes:
                yield from leaves(child)
        case _:
            yield node
