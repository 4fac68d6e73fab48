"""Who changes by the passing of time alone between two instants, and when: asked of the warehouse (G-15).

Everybody whose truth differs is named, and some whose truth does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from muster.engine.atoms import Atom
from muster.engine.bitset import Bitset, BitsetBuilder, Keys
from muster.engine.compile.comparison import any_of, within
from muster.engine.context import Context
from muster.engine.moments import Interval
from muster.engine.turning import Source, Sources, birthdays_between, days_between, sources_of
from muster.warehouse.port import Reader, Relations

_TICK = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, as the store writes it
# Of more days than these, only the first midnight is told: then nobody asks when, only whether.
MOST_MIDNIGHTS = 3
Micros = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Turnings:
    """Customers and the instants (microseconds since 1970, UTC) at which a truth of theirs may change."""

    keys: Keys
    at: Micros

    @classmethod
    def of(cls, parts: Iterable[tuple[Keys, Micros]]) -> Turnings:
        listed = [part for part in parts if len(part[0])]
        if not listed:
            return cls(np.empty(0, np.uint32), np.empty(0, np.int64))
        return cls(np.concatenate([keys for keys, _ in listed]), np.concatenate([at for _, at in listed]))


def expires(
    atoms: Iterable[Atom],
    context: Context,
    warehouse: Relations,
    reader: Reader,
    size: int,
    start: datetime,
    end: datetime,
) -> Bitset:
    """The keys whose truth of one of the atoms may differ between `start` and `end`, if no data came between."""
    builder = BitsetBuilder(size)
    builder.add(turnings(sources_of(atoms, context), context, warehouse, reader, start, end).keys)
    return builder.build()


def turnings(
    sources: Sources, context: Context, warehouse: Relations, reader: Reader, start: datetime, end: datetime
) -> Turnings:
    """Who turns when in (start, end]; each source is asked once."""
    parts: list[tuple[Keys, Micros]] = []
    for source, laters in sources.items():
        match source.kind:
            case "instant":
                parts += _instants(source, laters, warehouse, reader, start, end)
            case "day":
                parts += _days(source, laters, context, warehouse, reader, start, end)
            case "birth":
                parts += _births(source, context, warehouse, reader, start, end)
            case "daily":
                parts += _daily(source, context, warehouse, reader, start, end)
    return Turnings.of(parts)


def micros_of(instant: datetime) -> int:
    """Since 1970; aware, or UTC without a zone."""
    return (instant.replace(tzinfo=None) - _EPOCH) // _TICK


def _rows(source: Source, warehouse: Relations) -> ir.Table:
    if source.relation == "events":
        return warehouse.occurrences(source.event, [source.told] if source.told else [])
    return warehouse.relation(source.relation)


def _read(rows: ir.Table, column: str, dtype: str, reader: Reader) -> Iterator[tuple[Keys, Any]]:
    for batch in reader.batches(rows.select("customer_key", moment=rows[column])):
        moments = batch.column("moment").to_numpy(zero_copy_only=False)
        yield batch.column("customer_key").to_numpy(zero_copy_only=False), moments.astype(dtype)


def _instants(
    source: Source,
    laters: Iterable[timedelta],
    warehouse: Relations,
    reader: Reader,
    start: datetime,
    end: datetime,
) -> Iterator[tuple[Keys, Micros]]:
    rows = _rows(source, warehouse)
    column = rows[source.column]
    edges = [Interval(start - later + _TICK, end - later + _TICK) for later in sorted(laters)]
    first, last = micros_of(start), micros_of(end)
    for keys, moments in _read(
        rows.filter(any_of(within(column, edge) for edge in edges)), source.column, _STAMP, reader
    ):
        for later in laters:
            at = moments.astype(np.int64) + later // _TICK
            due = (at > first) & (at <= last)
            yield keys[due], at[due]


_STAMP, _DAY = "datetime64[us]", "datetime64[D]"


def _days(
    source: Source,
    laters: Iterable[timedelta],
    context: Context,
    warehouse: Relations,
    reader: Reader,
    start: datetime,
    end: datetime,
) -> Iterator[tuple[Keys, Micros]]:
    by_later = {later: days_between(start, end, later, context) for later in laters}
    numbers = {number for days in by_later.values() for number in days}
    if not numbers:
        return
    rows = _rows(source, warehouse)
    first, last = (_EPOCH.date() + timedelta(days=number) for number in (min(numbers), max(numbers)))
    for keys, moments in _read(rows.filter(rows[source.column].between(first, last)), source.column, _DAY, reader):
        for days in by_later.values():
            yield _told(keys, moments.astype(np.int64), days)


def _births(
    source: Source, context: Context, warehouse: Relations, reader: Reader, start: datetime, end: datetime
) -> Iterator[tuple[Keys, Micros]]:
    codes = birthdays_between(start, end, context)
    if not codes:
        return
    rows = _rows(source, warehouse)
    rows = rows.mutate(born=rows[source.column] % 10_000)
    for keys, born in _read(rows.filter(rows.born.isin(sorted(codes))), "born", "int64", reader):
        yield _told(keys, born, codes)


def _told(keys: Keys, numbers: Micros, instants: dict[int, datetime]) -> tuple[Keys, Micros]:
    """Those whose number is told of, with the instant that is told of it."""
    known = np.array(sorted(instants), np.int64)
    at = np.array([micros_of(instants[int(number)]) for number in known], np.int64)
    if not len(known):
        return keys[:0], at
    place = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    due = known[place] == numbers
    return keys[due], at[place[due]]


def _daily(
    source: Source, context: Context, warehouse: Relations, reader: Reader, start: datetime, end: datetime
) -> Iterator[tuple[Keys, Micros]]:
    midnights = sorted(days_between(start, end, timedelta(), context).values())[:MOST_MIDNIGHTS]
    if not midnights:
        return
    rows = _rows(source, warehouse)
    builder = []
    for batch in reader.batches(rows.filter(rows[source.column].notnull()).select("customer_key")):
        builder.append(np.unique(batch.column("customer_key").to_numpy(zero_copy_only=False)))
    keys = np.unique(np.concatenate(builder)) if builder else np.empty(0, np.uint32)
    for midnight in midnights:
        yield keys, np.full(len(keys), micros_of(midnight), np.int64)
