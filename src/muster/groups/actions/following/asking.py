"""Who of some customers is in which group now: over their own rows, a few by the reference, thousands by one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from muster.customers.hooks import current_warehouse
from muster.engine.changes import Change
from muster.engine.expiry import Turnings, turnings
from muster.engine.follow.few import Few
from muster.engine.follow.many import Many, mask_of, places_of
from muster.engine.follow.program import Outcome
from muster.engine.follow.schedule import turnings_of
from muster.engine.reference.said import people_said
from muster.groups.actions.following.kept import Memory
from muster.warehouse.port import Person


@dataclass(frozen=True)
class People:
    """The customers asked about, ascending. In a mask bit `i` stands for the i-th of them."""

    keys: npt.NDArray[np.uint32]
    bitmap: BitMap

    @classmethod
    def of(cls, keys: BitMap) -> People:
        return cls(np.asarray(keys.to_array(), np.uint32), keys)

    def mask(self, members: BitMap) -> int:
        """Who of them is in a set."""
        inside = members & self.bitmap
        if not inside:
            return 0
        bools = np.zeros(len(self.keys), np.bool_)
        bools[np.searchsorted(self.keys, np.asarray(inside.to_array(), np.uint32))] = True
        return mask_of(bools)

    def chosen(self, mask: int) -> BitMap:
        return BitMap(self.keys[places_of(mask, len(self.keys))]) if mask else BitMap()

    def change(self, before: int, after: int) -> Change:
        return Change(self.chosen(after & ~before), self.chosen(before & ~after))


@dataclass(frozen=True)
class Answer:
    """`known`: who of them is a customer at all. `soon`: when they may change by time, until the asked instant."""

    outcome: Outcome
    known: int
    soon: Turnings


Outside = Callable[[str], int]
Read = Callable[[Sequence[int]], Mapping[int, Person]]


def ask_few(people: People, memory: Memory, now: datetime, until: datetime, outside: Outside, read: Read) -> Answer:
    """By the reference engine: milliseconds, and right by definition. `read` answers customers without late facts."""
    prepared, here = memory.prepared, memory.context.at(now)
    keys = [int(key) for key in people.keys]
    found = _people(keys, read)
    outcome = prepared.program.run(Few(keys, found, here), outside)
    soon = list(turnings_of(found.values(), prepared.sources, here, until))
    return Answer(
        outcome,
        people.mask(BitMap(found)),
        Turnings(np.array([key for _, key in soon], np.uint32), np.array([at for at, _ in soon], np.int64)),
    )


def _people(keys: list[int], read: Read) -> Mapping[int, Person]:
    """Nobody waits until facts are derived (ADR 27): while some are late, people are told from what was said."""
    asked = current_warehouse()
    if asked.is_late and (said := asked.said_of(keys)) is not None:
        return people_said(said, asked.catalog)
    return read(keys)


def ask_many(people: People, memory: Memory, now: datetime, until: datetime, outside: Outside) -> Answer:
    """By the compiled conditions, restricted to their rows."""
    prepared, here = memory.prepared, memory.context.at(now)
    asked = current_warehouse()
    with asked.narrowed(people.keys, prepared.needed) as reader:
        many = Many(prepared.questions, asked, reader, len(people.keys), here)
        outcome = prepared.program.run(many, outside)
        places = turnings(prepared.sources, here, asked, reader, here.now, until)
        everybody = reader.table(asked.relation("profiles").select("customer_key"))
        known = np.zeros(len(people.keys), np.bool_)
        known[everybody.column("customer_key").to_numpy()] = True
    return Answer(outcome, mask_of(known), Turnings(people.keys[places.keys], places.at))
