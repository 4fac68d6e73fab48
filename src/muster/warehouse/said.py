"""All that was ever said of a few customers, as items again: what the plain derivation derives their facts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from muster.warehouse.batch import Rate
from muster.warehouse.items import Item

Names = frozenset[tuple[str, int, str]]
"""(kind, app number or 0, text)."""


@dataclass(frozen=True)
class Told:
    """What was said of one customer. An item may stand for one of several that were said together.

    `of_others` is true of who is here only because they share an order or a device with somebody who was asked for:
    of them nothing else is told.
    """

    key: int
    subject: str
    names: Names
    items: Sequence[Item]
    of_others: bool = False


@dataclass(frozen=True)
class Said:
    """`orphans`: what names orders of theirs and no customer. `rates`: those that their orders need."""

    people: Mapping[int, Told]
    orphans: Sequence[Item] = ()
    rates: Sequence[Rate] = field(default_factory=tuple)
