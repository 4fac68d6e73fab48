"""Which moments in a customer's rows change a truth as time passes them: for every kind of atom (G-15).

Between two instants nothing arrives; only windows move, birthdays come, subscriptions end. A truth changes when now
reaches a moment that stands in a row, or has moved beyond it by a length of time. Apps, and whether other properties
fit, are left out of account: somebody is looked at once too often, never once too seldom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from muster.engine.atoms import Acquired, Atom, Beyond, Excluded, Ranked
from muster.engine.compile.attributes import column_name
from muster.engine.context import DEVICE_ACTIVE_DAYS, Context
from muster.kernel.civil import day_start, local_day
from muster.rules.nodes import (
    AttributeCondition,
    DeviceCondition,
    EventCondition,
    PropertyFilter,
    SequenceCondition,
    Window,
)
from muster.rules.operators import OPERATORS
from muster.rules.vocabulary import Attribute, Scope, Type
from muster.warehouse.port import PropertyColumn

_NOW = timedelta()
_DAY = timedelta(days=1)
_KINDS: Mapping[Type, Literal["instant", "day"]] = {Type.TIMESTAMP: "instant", Type.DATE: "day"}
_TOLD = "told_at"
_RELATIONS = {Scope.CUSTOMER: "profiles", Scope.APP: "app_facts", Scope.DEVICE: "devices"}


@dataclass(frozen=True)
class Source:
    """A column whose values are moments; `relation` "events": the occurrences of the event `name`, by number, or a
    property of theirs.

    `kind`: an instant; a calendar day, which is its first instant; a birth code, which comes again every year; `daily`:
    whatever the value, the truth may change with every calendar day. `name`: what a `Person` calls the column.
    """

    relation: str
    column: str
    name: str
    kind: Literal["instant", "day", "birth", "daily"] = "instant"
    event: int = 0
    told: PropertyColumn | None = None


Sources = Mapping[Source, frozenset[timedelta]]
"""By source how much later than its moments truths may change."""

_BIRTH = Source("profiles", "birth_code", "birth_code", "birth")
_LAST_SEEN = Source("devices", "last_seen_at", "last_seen_at")
_EXPIRES = Source("holdings", "expires_at", "expires_at")
_ACQUIRED = Source("app_facts", "acquired_at", "acquired_at")
_DEVICE_LEAVES = timedelta(days=DEVICE_ACTIVE_DAYS)
Turn = tuple[Source, timedelta]


def sources_of(atoms: Iterable[Atom], context: Context) -> Sources:
    found: dict[Source, set[timedelta]] = {}
    for atom in atoms:
        for source, later in _turns(atom, context):
            found.setdefault(source, set()).add(later)
    return {source: frozenset(laters) for source, laters in found.items()}


def _turns(atom: Atom, context: Context) -> Iterator[Turn]:
    match atom:
        case AttributeCondition():
            yield from _of_attribute(atom, context)
        case DeviceCondition():
            yield _LAST_SEEN, _DEVICE_LEAVES
        case EventCondition():
            yield from _of_event(atom, context)
        case SequenceCondition():
            for step in atom.steps:
                yield from _of_window(_occurrences(step.event, context), atom.when)
                yield from _of_properties(step.event, step.where, context)
        case Acquired():
            yield _ACQUIRED, _NOW
        case Excluded() if atom.reason != "profiling_denied":
            yield _BIRTH, _NOW
        case Ranked():
            # Who moves alone; whoever is overtaken by them is found by a full refresh: thresholds are everybody's.
            yield from _turns(replace(atom.condition, op="is_set"), context)
        case Beyond():
            yield from _turns(atom.ranked, context)


def _of_attribute(condition: AttributeCondition, context: Context) -> Iterator[Turn]:
    attribute = context.attribute(condition.attribute)
    if attribute.key in ("age", "age_group"):
        yield _BIRTH, _NOW
        return
    if attribute.key == "addons_owned":
        yield _EXPIRES, _NOW
        return
    if attribute.scope is Scope.DEVICE:
        yield _LAST_SEEN, _DEVICE_LEAVES
    if attribute.type in _KINDS:
        yield from _of_moment(_column(attribute), condition.op, condition.value)


def _column(attribute: Attribute) -> Source:
    return Source(_RELATIONS[attribute.scope], column_name(attribute), attribute.key, _KINDS[attribute.type])


def _of_moment(source: Source, op: str, value: object) -> Iterator[Turn]:
    """What a relative date operator makes of the moments; absolute ones do not move."""
    if op == "anniversary_in_next":
        yield replace(source, kind="daily"), _NOW
    elif op in ("in_last", "in_next"):
        assert isinstance(value, timedelta)
        yield source, _NOW
        yield source, value if op == "in_last" else -value


def _of_event(condition: EventCondition, context: Context) -> Iterator[Turn]:
    source = _occurrences(condition.event, context)
    yield from _of_window(source, condition.when)
    yield from _of_moment(source, condition.op, condition.value)
    yield from _of_properties(condition.event, condition.where, context)


def _of_properties(event: str, where: Iterable[PropertyFilter], context: Context) -> Iterator[Turn]:
    """Moments that events tell of: an occurrence counts no more, or only now, because its property comes of age."""
    number = context.event(event).number
    for one in where:
        if one.type in _KINDS:
            told = PropertyColumn(_TOLD, one.property, one.type)
            op = OPERATORS[one.type][one.op].negates or one.op
            yield from _of_moment(Source("events", _TOLD, event, _KINDS[one.type], number, told), op, one.value)


def _occurrences(event: str, context: Context) -> Source:
    return Source("events", "happened_at", event, event=context.event(event).number)


def _of_window(source: Source, window: Window | None) -> Iterator[Turn]:
    """Events that come of age, and those that leave the window."""
    yield source, _NOW
    if window is not None and window.last is not None:
        yield source, window.last


# The moments of days, in the publisher's zone


def days_between(start: datetime, end: datetime, later: timedelta, context: Context) -> dict[int, datetime]:
    """The days whose first instant, moved, lies in (start, end]: by their number since 1970, with the moved instant."""
    first, last = local_day(start - later, context.zone), local_day(end - later, context.zone)
    found = {}
    for offset in range((last - first).days + 2):
        day = first + offset * _DAY
        instant = day_start(day, context.zone) + later
        if start < instant <= end:
            found[(day - _EPOCH).days] = instant
    return found


_EPOCH = datetime(1970, 1, 1).date()  # noqa: DTZ001 - a calendar day


def birthdays_between(start: datetime, end: datetime, context: Context) -> dict[int, datetime]:
    """Month and day (`MMDD`) of who gets a year older in (start, end], with the first instant at which they do."""
    found: dict[int, datetime] = {}
    for number, instant in days_between(start, end, _NOW, context).items():
        day = _EPOCH + number * _DAY
        found.setdefault(day.month * 100 + day.day, instant)
        if (day.month, day.day) == (3, 1):
            # Born on 29 February: on 1 March of other years.
            found.setdefault(229, instant)
    return found
