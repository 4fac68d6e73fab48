"""When a truth changes by itself: the coming instants at which one customer enters or leaves without any new data.

A condition's candidates are the instants its own rows name (an event's age, a birthday, the end of a subscription);
the meaning at each is asked of the reference itself, so a timeline can never disagree with an evaluation.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeGuard

from muster.engine.context import DEVICE_ACTIVE_DAYS, Context
from muster.engine.plan import resolve_app
from muster.engine.reference.comparison import anniversary, holds
from muster.engine.reference.evaluate import World, in_population, matching_events, truth
from muster.engine.reference.values import attribute_values, property_value
from muster.kernel.civil import OLDEST_AGE_YEARS, day_start
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    DeviceCondition,
    EventCondition,
    Node,
    NoneOf,
    PropertyFilter,
    SequenceCondition,
    Window,
)
from muster.rules.operators import OPERATORS, RANK_OPERATORS
from muster.rules.vocabulary import Type
from muster.warehouse.port import Person

# Beyond so many candidates the rest of the future is left untold: an explanation answers in milliseconds.
_MOST_CANDIDATES = 400
# And beyond the lives of those who live. People write 31 December 9999 for "never"; calendars end there.
_HORIZON = timedelta(days=200 * 366)
_AGES = ("age", "age_group")
# Operators of dates that depend on now.
_MOVING = ("in_last", "in_next", "anniversary_in_next")


@dataclass(frozen=True)
class Timeline:
    """The truth now, and the instants after now at which it flips, in order."""

    now: bool
    flips: tuple[datetime, ...] = ()

    @property
    def changes_at(self) -> datetime | None:
        """The first instant at which the truth differs from now's, as long as no data arrives."""
        return self.flips[0] if self.flips else None


def timeline(node: Node, person: Person, app: str | None, world: World) -> Timeline:
    """The future of one node for one customer; other groups and ranks stay as they are now."""
    match node:
        case All():
            return combine(all, [timeline(child, person, app, world) for child in node.nodes])
        case AnyOf():
            return combine(any, [timeline(child, person, app, world) for child in node.nodes])
        case NoneOf():
            return combine(_none, [timeline(child, person, app, world) for child in node.nodes])
        case _:
            return _leaf(node, person, app, world)


def population_timeline(person: Person, app: str | None, context: Context) -> Timeline:
    """When a customer comes of age, or the acquisition that lies ahead arrives."""
    acquired = [row["acquired_at"] for row in person.app_facts.values() if row.get("acquired_at") is not None]
    candidates = [*acquired, *_birthdays(person, context)]
    return _replayed(lambda context: in_population(person, app, context), candidates, context)


def combine(operation: Callable[[Iterable[bool]], bool], parts: list[Timeline]) -> Timeline:
    """A truth made of others flips only where one of them does."""
    states = [part.now for part in parts]
    now = current = operation(states)
    moves = sorted((instant, index) for index, part in enumerate(parts) for instant in part.flips)
    flips: list[datetime] = []
    for place, (instant, index) in enumerate(moves):
        states[index] = not states[index]
        if place + 1 < len(moves) and moves[place + 1][0] == instant:
            continue
        if operation(states) != current:
            current = not current
            flips.append(instant)
    return Timeline(now, tuple(flips))


def _none(states: Iterable[bool]) -> bool:
    return not any(states)


def _leaf(node: Condition, person: Person, app: str | None, world: World) -> Timeline:
    if _is_a_count_that_time_leaves_alone(node):
        resolved = resolve_app(node, app, world.context)
        assert isinstance(resolved, EventCondition)
        return _counted(resolved, person, world.context)
    candidates = _candidates(node, person, app, world.context)

    def at(context: Context) -> bool:
        return truth(node, person, app, replace(world, context=context))

    return _replayed(at, candidates, world.context)


def _is_a_count_that_time_leaves_alone(node: Condition) -> TypeGuard[EventCondition]:
    """But for the window: which events match is the same at any time."""
    return (
        isinstance(node, EventCondition)
        and node.measure.kind == "count"
        and node.op not in RANK_OPERATORS
        and not any(_positive(one.op) in _MOVING for one in node.where)
    )


def _replayed(at: Callable[[Context], bool], candidates: Iterable[datetime], context: Context) -> Timeline:
    now = current = at(context)
    flips = []
    last = context.now + _HORIZON
    for instant in sorted({one for one in candidates if context.now < one <= last})[:_MOST_CANDIDATES]:
        if at(context.at(instant)) != current:
            current = not current
            flips.append(instant)
    return Timeline(now, tuple(flips))


def _counted(condition: EventCondition, person: Person, context: Context) -> Timeline:
    """Counts are followed through every event, however many: the number inside the window is a difference of ranks."""
    last = condition.when.last if condition.when else None
    ever = condition if last is None else replace(condition, when=None)
    times = sorted(event.happened_at for event in matching_events(ever, person, _after_all(person, context)))
    negated = OPERATORS[Type.NUMBER][condition.op].negates

    def at(instant: datetime) -> bool:
        count = bisect_right(times, instant) - (0 if last is None else bisect_right(times, instant - last))
        return holds(Type.NUMBER, negated or condition.op, count, condition.value, context) != bool(negated)

    moves = {one for one in times if one > context.now}
    if last is not None:
        moves |= {one + last for one in times if one + last > context.now}
    now = current = at(context.now)
    flips = []
    for instant in sorted(moves):
        if at(instant) != current:
            current = not current
            flips.append(instant)
    return Timeline(now, tuple(flips))


def _after_all(person: Person, context: Context) -> Context:
    """The same context late enough to count every event the customer has."""
    latest = max((event.happened_at for event in person.events), default=context.now)
    return context.at(max(latest, context.now))


def _candidates(node: Condition, person: Person, app: str | None, context: Context) -> list[datetime]:
    match node:
        case AttributeCondition():
            resolved = resolve_app(node, app, context)
            assert isinstance(resolved, AttributeCondition)
            return _attribute_candidates(resolved, person, context)
        case EventCondition():
            times = _window_moves(
                (event.happened_at for event in person.events if event.event == node.event), node.when
            )
            moves = _moment_moves(node.op, node.value, times, context)
            return [*times, *moves, *_told_moves([(node.event, node.where)], person, context)]
        case SequenceCondition():
            names = {step.event for step in node.steps}
            times = _window_moves((event.happened_at for event in person.events if event.event in names), node.when)
            return [*times, *_told_moves([(step.event, step.where) for step in node.steps], person, context)]
        case DeviceCondition():
            return _device_moves(person)
        case _:
            return []


def _attribute_candidates(condition: AttributeCondition, person: Person, context: Context) -> list[datetime]:
    if condition.op in RANK_OPERATORS:
        return []
    if condition.attribute in _AGES:
        return _birthdays(person, context)
    if condition.attribute == "addons_owned":
        return [holding.expires_at for holding in person.holdings if holding.expires_at is not None]
    moves = _device_moves(person) if context.attribute(condition.attribute).category == "device" else []
    values = [value for value in attribute_values(person, condition, context) if isinstance(value, date)]
    return [*moves, *_moment_moves(condition.op, condition.value, values, context)]


def _device_moves(person: Person) -> list[datetime]:
    return [device["last_seen_at"] + timedelta(days=DEVICE_ACTIVE_DAYS) for device in person.devices]


def _window_moves(times: Iterable[datetime], window: Window | None) -> list[datetime]:
    listed = list(times)
    last = window.last if window else None
    return listed + ([one + last for one in listed] if last is not None else [])


def _told_moves(
    asked: Iterable[tuple[str, tuple[PropertyFilter, ...]]], person: Person, context: Context
) -> Iterator[datetime]:
    """When an occurrence begins or ceases to match, by the moments that its properties tell of."""
    moving = [(event, one) for event, where in asked for one in where if _positive(one.op) in _MOVING]
    for event, one in moving:
        told = [
            property_value(done.properties, one.property, one.type) for done in person.events if done.event == event
        ]
        yield from _moment_moves(one.op, one.value, (moment for moment in told if moment is not None), context)


def _positive(op: str) -> str:
    """The operator of dates of which this one is the complement; every other is itself."""
    known = OPERATORS[Type.TIMESTAMP].get(op)
    return known.negates or op if known else op


def _moment_moves(op: str, value: Any, moments: Iterable[date], context: Context) -> list[datetime]:
    """When a date operator changes for given values: relative windows move, days do not."""
    op = _positive(op)
    moves: list[datetime] = []
    for moment in moments:
        # A moment at the end of all years does not come of age.
        with suppress(OverflowError):
            moves += _moves_of(op, value, moment, context)
    return moves


def _moves_of(op: str, value: Any, moment: date, context: Context) -> list[datetime]:
    if op not in _MOVING:
        return []
    instant = moment if isinstance(moment, datetime) else day_start(moment, context.zone)
    match op:
        case "in_last":
            return [instant, instant + value]
        case "in_next":
            return [instant, instant - value]
    return _anniversary_moves(instant, value, context)


def _anniversary_moves(instant: datetime, length: timedelta, context: Context) -> list[datetime]:
    original = instant.astimezone(context.zone).date()
    days = [anniversary(original, context.today.year + later) for later in (-1, 0, 1, 2)]
    starts = [day - length + timedelta(days=1) for day in days]
    return [day_start(day, context.zone) for day in (*starts, *(day + timedelta(days=1) for day in days))]


def _birthdays(person: Person, context: Context) -> list[datetime]:
    """The first instants of the days on which the customer gets a year older."""
    code = person.profile.get("birth_code")
    if code is None:
        return []
    year, rest = divmod(code, 10_000)
    return [
        day_start(_celebrated(year + age, rest), context.zone)
        for age in range(OLDEST_AGE_YEARS + 2)
        if context.today.year <= year + age <= context.today.year + OLDEST_AGE_YEARS
    ]


def _celebrated(year: int, month_and_day: int) -> date:
    month, day = divmod(month_and_day, 100)
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, 3, 1)
