"""What was said before of whom a few items are about: read while they are stored, and told together with them.

Whoever follows asks for it next. Read afterwards, it would cost as much again as storing them did (ADR 0034).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from muster.kernel.errors import MusterError
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.few.judging import Judged, keys_of
from muster.warehouse.duckdb.few.lookup import device_keys
from muster.warehouse.duckdb.few.saying import currency_of, device_place
from muster.warehouse.duckdb.said_rows import Coming, SaidRows, Tables, read_rows
from muster.warehouse.duckdb.writer import Writer
from muster.warehouse.items import Item

Ask = Callable[[Callable[[duckdb.DuckDBPyConnection], "Seen | None"]], "Seen | None"]


@dataclass(frozen=True)
class Seen:
    """As it was when `commits` had begun, none of them under way."""

    rows: SaidRows
    commits: int


class Ahead:
    """One of a warehouse, used by one thread at a time: whoever else asks meanwhile reads for itself."""

    def __init__(self, writer: Writer, ask: Ask) -> None:
        self._writer = writer
        self._ask = ask
        self._seen: Seen | None = None
        # Nothing is read ahead for who never asks.
        self._is_wanted = False

    def look(self, items: Sequence[Item], commits: int, catalog: Catalog) -> Seen | None:
        """None if nobody would ask, or if it cannot be known: then it is read when it is asked for. `commits`: those
        begun before the items were handed to the writer."""
        if not self._is_wanted:
            return None
        with suppress(duckdb.Error, MusterError):
            return self._ask(lambda cursor: self._look(cursor, items, commits, catalog))
        return None

    def keep(self, seen: Seen | None, stored: Tables | None, touched: Iterable[int]) -> None:
        """`stored`: the rows of the items, by now committed; None if more than rows were added."""
        self._is_wanted = False
        if seen is None or stored is None:
            self._seen = None
        else:
            self._seen = Seen(seen.rows.then(stored, touched), seen.commits + 1)

    def take(self, keys: Iterable[int]) -> SaidRows | None:
        """The rows of exactly these customers, if they are known and nothing was written since."""
        self._is_wanted = True
        seen, self._seen = self._seen, None
        asked = frozenset(keys)
        if seen is None or not asked or seen.rows.asked != asked or seen.commits != self._writer.commits:
            return None
        return seen.rows

    def _look(
        self, cursor: duckdb.DuckDBPyConnection, items: Sequence[Item], commits: int, catalog: Catalog
    ) -> Seen | None:
        judged = [Judged(place, item, None, None) for place, item in enumerate(items)]
        named = {identity for one in judged for identity in one.claim.identities()}
        cursor.begin()
        keys = frozenset(keys_of(cursor, named).values())
        if not named or self._writer.commits != commits:
            # From its first question on the cursor sees one state; this one may hold the items themselves.
            return None
        rows = read_rows(cursor, keys, catalog, _coming(cursor, judged))
        return None if rows is None else Seen(rows, commits)


def _coming(cursor: duckdb.DuckDBPyConnection, judged: Iterable[Judged]) -> Coming:
    orders = [one.item.order for one in judged if one.item.order]
    places = {place for one in judged if (place := device_place(one)) is not None}
    known = device_keys(cursor, places)
    return Coming(
        frozenset(order.order_id for order in orders),
        frozenset(known[place] for place in places if place in known),
        frozenset(filter(None, (currency_of(order) for order in orders))),
    )
