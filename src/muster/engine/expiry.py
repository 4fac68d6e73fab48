"""Whose truth changes by the passing of time alone: for every kind of atom, asked of the warehouse (G-15).

Between two instants nothing arrives; only windows move, birthdays come, subscriptions end. Each function yields the
rows of customers near such a move: everybody whose truth differs, and some whose truth does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

import ibis.expr.types as ir

from muster.engine.atoms import Acquired, Atom, Excluded, Ranked
from muster.engine.bitset import Bitset, BitsetBuilder
from muster.engine.compile import attributes, events, people, ranks  # noqa: F401 - registers the compilers
from muster.engine.compile.attributes import column_of, rows_of
from muster.engine.compile.comparison import any_of, within
from muster.engine.compile.registry import turning, turns
from muster.engine.context import DEVICE_ACTIVE_DAYS, Context
from muster.engine.moments import Interval
from muster.kernel.civil import OLDEST_AGE_YEARS, day_code, local_day
from muster.rules.nodes import (
    AttributeCondition,
    DeviceCondition,
    EventCondition,
    SequenceCondition,
    Window,
)
from muster.rules.vocabulary import Attribute, Scope, Type
from muster.warehouse.port import Reader, Warehouse

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_MOMENTS = (Type.DATE, Type.TIMESTAMP)


def expires(
    atoms: Iterable[Atom],
    context: Context,
    warehouse: Warehouse,
    reader: Reader,
    size: int,
    start: datetime,
    end: datetime,
) -> Bitset:
    """The keys whose truth of one of the atoms may differ between `start` and `end`, if no data came between."""
    builder = BitsetBuilder(size)
    for atom in set(atoms):
        for rows in turning(atom, context, warehouse, start, end):
            for batch in reader.batches(rows):
                keys = batch.column("customer_key").to_numpy(zero_copy_only=False)
                builder.add(keys[keys < size])
    return builder.build()


def _moved(start: datetime, end: datetime, by: timedelta = timedelta()) -> Interval:
    """Values which an edge at `now + by` passes while now goes from `start` to `end`: (start + by, end + by]."""
    return Interval(start + by + _TICK, end + by + _TICK)


@turns(AttributeCondition)
def attribute_turning(
    condition: AttributeCondition, context: Context, warehouse: Warehouse, start: datetime, end: datetime
) -> list[ir.Table]:
    attribute = context.attribute(condition.attribute)
    if attribute.key in ("age", "age_group"):
        return [_birthdays(warehouse, context, start, end)]
    if attribute.key == "addons_owned":
        holdings = warehouse.relation("holdings")
        return [holdings.filter(within(holdings.expires_at, _moved(start, end))).select("customer_key")]
    found = [_devices_leaving(warehouse, start, end)] if attribute.scope is Scope.DEVICE else []
    if attribute.type in _MOMENTS and condition.op in ("in_last", "in_next", "anniversary_in_next"):
        found.append(_moments_passing(condition, attribute, context, warehouse, start, end))
    return found


def _moments_passing(
    condition: AttributeCondition,
    attribute: Attribute,
    context: Context,
    warehouse: Warehouse,
    start: datetime,
    end: datetime,
) -> ir.Table:
    """Rows whose value enters or leaves the moving window; anniversaries move with the day, so all values may."""
    table = rows_of(attribute, condition.app, context, warehouse)
    column = column_of(table, attribute)
    if condition.op == "anniversary_in_next":
        moves = local_day(start, context.zone) != local_day(end, context.zone)
        return table.filter(column.notnull() & moves).select("customer_key")
    assert isinstance(condition.value, timedelta)
    by = -condition.value if condition.op == "in_last" else condition.value
    edges = [_moved(start, end), _moved(start, end, by)]
    if attribute.type is Type.DATE:
        days = [
            (local_day(edge.start, context.zone), local_day(edge.end, context.zone))
            for edge in edges
            if edge.start and edge.end
        ]
        terms = [column.between(first, last) for first, last in days]
    else:
        terms = [within(column, edge) for edge in edges]
    return table.filter(any_of(terms)).select("customer_key")


def _devices_leaving(warehouse: Warehouse, start: datetime, end: datetime) -> ir.Table:
    devices = warehouse.relation("devices")
    edge = _moved(start, end, timedelta(days=-DEVICE_ACTIVE_DAYS))
    return devices.filter(within(devices.last_seen_at, edge)).select("customer_key")


@turns(DeviceCondition)
def device_turning(
    _condition: DeviceCondition, _context: Context, warehouse: Warehouse, start: datetime, end: datetime
) -> list[ir.Table]:
    return [_devices_leaving(warehouse, start, end)]


@turns(EventCondition)
def event_turning(
    condition: EventCondition, context: Context, warehouse: Warehouse, start: datetime, end: datetime
) -> list[ir.Table]:
    """Events that come of age, leave the window, or pass the edge of a date operator on the first or last time."""
    edges = _window_edges(condition.when, start, end)
    if condition.op in ("in_last", "in_next") and isinstance(condition.value, timedelta):
        edges.append(_moved(start, end, -condition.value if condition.op == "in_last" else condition.value))
    number = context.event(condition.event).number
    found = [_events_within(number, edges, warehouse)]
    if condition.op == "anniversary_in_next" and local_day(start, context.zone) != local_day(end, context.zone):
        found.append(warehouse.occurrences(number).select("customer_key"))
    return found


@turns(SequenceCondition)
def sequence_turning(
    condition: SequenceCondition, context: Context, warehouse: Warehouse, start: datetime, end: datetime
) -> list[ir.Table]:
    edges = _window_edges(condition.when, start, end)
    numbers = sorted({context.event(step.event).number for step in condition.steps})
    return [_events_within(number, edges, warehouse) for number in numbers]


def _window_edges(window: Window | None, start: datetime, end: datetime) -> list[Interval]:
    edges = [_moved(start, end)]
    if window is not None and window.last is not None:
        edges.append(_moved(start, end, -window.last))
    return edges


def _events_within(number: int, edges: list[Interval], warehouse: Warehouse) -> ir.Table:
    rows = warehouse.occurrences(number)
    return rows.filter(any_of(within(rows.happened_at, edge) for edge in edges)).select("customer_key")


@turns(Acquired)
def acquired_turning(
    _atom: Acquired, _context: Context, warehouse: Warehouse, start: datetime, end: datetime
) -> list[ir.Table]:
    facts = warehouse.relation("app_facts")
    return [facts.filter(within(facts.acquired_at, _moved(start, end))).select("customer_key")]


@turns(Excluded)
def excluded_turning(
    atom: Excluded, context: Context, warehouse: Warehouse, start: datetime, end: datetime
) -> list[ir.Table]:
    return [] if atom.reason == "profiling_denied" else [_birthdays(warehouse, context, start, end)]


@turns(Ranked)
def ranked_turning(
    atom: Ranked, context: Context, warehouse: Warehouse, start: datetime, end: datetime
) -> list[ir.Table]:
    """Who moves alone; whoever is overtaken by them is found by a full refresh, because thresholds are global."""
    return turning(replace(atom.condition, op="is_set"), context, warehouse, start, end)


def _birthdays(warehouse: Warehouse, context: Context, start: datetime, end: datetime) -> ir.Table:
    """Customers who get a year older: day codes repeat every 10,000."""
    profiles = warehouse.relation("profiles")
    days = list(_days_between(local_day(start, context.zone), local_day(end, context.zone)))
    codes = {day_code(day) % 10_000 for day in days}
    if 301 in codes:
        codes.add(229)
    born = profiles.birth_code % 10_000
    if len(days) > OLDEST_AGE_YEARS * 3:
        return profiles.filter(profiles.birth_code.notnull()).select("customer_key")
    return profiles.filter(born.isin(sorted(codes))).select("customer_key")


def _days_between(start: date, end: date) -> Iterable[date]:
    """The days that begin after `start`, up to and with `end`."""
    day = start
    while day < end:
        day += _DAY
        yield day
