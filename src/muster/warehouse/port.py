"""What Muster asks of a warehouse; one contract suite (tests/integration/warehouse) runs on every backend.

Reading: build an unbound Ibis expression over `relation()` and `occurrences()`, hand it to a `Reader`. Ibis only
compiles; the backend runs the SQL on a cursor of its own and answers Arrow. Writing: see `Writer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from muster.rules.vocabulary import Type


@dataclass(frozen=True)
class PropertyColumn:
    """Column `name` of an `occurrences` relation: property `path` (dots descend) as `type`, null if it is not one.

    number: float64 · money: decimal(38, 6) (also sums of numbers: exact, so free of order) · text, category, version:
    string · boolean · timestamp: timestamp(6) UTC (RFC 3339 text) · date: date · list: array<string>.
    """

    name: str
    path: str
    type: Type


@dataclass(frozen=True)
class PersonEvent:
    app: str
    event: str
    happened_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Holding:
    app: str
    addon: str
    expires_at: datetime | None


@dataclass(frozen=True)
class Person:
    """Everything one customer's rows say, in plain Python: what the reference engine evaluates and pages show.

    Columns are those of `relations`, by name; instants aware in UTC; apps and events by key, not number. Custom columns
    stand under their attribute's key; custom money is a Decimal in the publisher's currency, or whole micros.
    """

    customer_key: int
    profile: dict[str, Any]
    app_facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    holdings: tuple[Holding, ...] = ()
    devices: tuple[dict[str, Any], ...] = ()
    orders: tuple[dict[str, Any], ...] = ()
    sessions: tuple[dict[str, Any], ...] = ()
    events: tuple[PersonEvent, ...] = ()
    """Events oldest first, those derived from orders (order_completed, product_purchased) among them."""
    identities: tuple[tuple[str, str | None, str], ...] = ()
    """(kind, app or None, text)."""
    emails: tuple[dict[str, Any], ...] = ()
    birthday: date | None = None


@dataclass(frozen=True)
class Needed:
    """What is looked at of customers: columns by relation, besides their keys; whether the add-ons they own; events by
    number, each with whether its properties are.
    """

    profiles: frozenset[str] = frozenset()
    app_facts: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    holdings: bool = False
    events: Mapping[int, bool] = field(default_factory=dict)


class MovingQuery(Protocol):
    """An expression that was compiled once, for every instant."""


class Reader(Protocol):
    """One task's cursor; not shared between threads. `interrupt` may be called from another thread and stops it."""

    def table(self, rows: ir.Table) -> pa.Table: ...
    def batches(self, rows: ir.Table) -> Iterator[pa.RecordBatch]: ...
    def interrupt(self) -> None: ...

    def moving(self, rows: ir.Table, rows_then: ir.Table, now: datetime, then: datetime) -> MovingQuery | None:
        """One expression for all instants out of what it is at two of them; None if it does more than move."""

    def moved(self, query: MovingQuery, now: datetime) -> Iterator[pa.RecordBatch]:
        """As `batches`, of the expression as it is at this instant."""


class Relations(Protocol):
    """What conditions are compiled over."""

    def relation(self, name: str) -> ir.Table:
        """The unbound table of `relations.ASKABLE`, custom columns included."""

    def occurrences(self, event: int, columns: Sequence[PropertyColumn] = ()) -> ir.Table:
        """Unbound table, grain event: customer_key, app_key, happened_at and the asked property columns."""

    def categories(self, relation: str, column: str) -> Sequence[str] | None:
        """The labels a category column holds, perhaps with some it no longer does; None if they are too many (C-3)."""

    def labels(self, event: int, path: str) -> Sequence[str]:
        """The distinct texts of one event property."""


class Warehouse(Relations, Protocol):
    @property
    def schema_version(self) -> int:
        """Of what is stored; a backup says which it holds."""

    def reader(self) -> AbstractContextManager[Reader]: ...

    def narrowed(self, keys: npt.NDArray[np.uint32], needed: Needed) -> AbstractContextManager[Reader]:
        """A reader to whom the relations hold these customers (ascending) alone, as far as they are needed; their
        `customer_key` is their place among them. Many conditions about some people are asked in one pass."""

    def few(self, keys: Sequence[int], needed: Needed) -> dict[int, Person]:
        """What is needed of a handful of customers, by key; who is none is absent."""

    def highest_key(self) -> int:
        """The greatest customer_key ever given; 0 when empty."""

    def person(self, customer_key: int) -> Person | None: ...

    def data_as_of(self) -> datetime | None:
        """When the newest committed change of the data was received."""

    def copy_to(self, directory: Path, meanwhile: Callable[[], None]) -> None:
        """Copies the whole warehouse into an empty directory; `meanwhile` is called at the instant of the copy."""
