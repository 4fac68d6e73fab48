"""What an unsaved definition would select, told as the asker may know it (G-14, G-21)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muster.catalog.queries import publisher
from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation
from muster.engine.overlap import FEWEST, MOST, overlap
from muster.engine.preview import Preview, preview
from muster.groups.errors import ValueNotAllowed
from muster.groups.models import Group
from muster.groups.policies import Told, told, told_part
from muster.groups.queries.evaluation import evaluation, stored_members, vocabulary
from muster.groups.queries.groups import group_row
from muster.kernel.ids import customer_id
from muster.rules.codec import decode, encode
from muster.rules.nodes import Definition, Node
from muster.warehouse.port import Reader

MOST_COMPARED = 3


@dataclass(frozen=True)
class Step:
    """`condition` is the JSON of the node at `pointer`."""

    pointer: str
    condition: dict[str, Any]
    alone: Told
    after: Told


@dataclass(frozen=True)
class PreviewView:
    """`share` of the population in 0..1; None where the size is not told."""

    size: Told
    available_customers: Told
    share: float | None
    data_as_of: datetime | None
    waterfall: list[Step]
    sample: list[str]
    overlap: dict[str, Told]
    joined: Told | None
    left: Told | None


class Editors:
    """The running preview of each editor: a newer one cancels the older (G-14)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Reader] = {}

    @contextmanager
    def takes_over(self, editor: str | None, reader: Reader) -> Iterator[None]:
        if not editor:
            yield
            return
        with self._lock:
            older = self._running.get(editor)
            self._running[editor] = reader
        if older is not None:
            older.interrupt()
        try:
            yield
        finally:
            with self._lock:
                if self._running.get(editor) is reader:
                    del self._running[editor]


EDITORS = Editors()


def preview_definition(
    document: object,
    *,
    may_list: bool,
    edited: str | None = None,
    compared: list[str] | None = None,
    editor: str | None = None,
) -> PreviewView:
    """Evaluates a definition that is not saved. `edited`: the group whose saved members it is compared with."""
    if len(compared or []) > MOST_COMPARED:
        raise ValueNotAllowed(f"A preview overlaps with at most {MOST_COMPARED} groups.", pointer="/overlap")
    definition = decode(document, vocabulary())
    others = [group_row(one) for one in compared or []]
    saved_row = group_row(edited) if edited else None
    with evaluation() as asked, EDITORS.takes_over(editor, asked.reader):
        found = preview(
            definition,
            asked,
            saved=_members(saved_row, asked) if saved_row else None,
            compared={row.id: _members(row, asked) for row in others},
        )
        data_as_of = asked.warehouse.data_as_of()
    return _told(found, data_as_of, may_list=may_list)


def _members(row: Group, asked: Evaluation) -> Bitset:
    return Bitset.from_roaring(stored_members(row), asked.size)


def _told(found: Preview, data_as_of: datetime | None, *, may_list: bool) -> PreviewView:
    minimum = publisher().minimum_size
    available = told(found.available_customers, minimum)
    size = told(found.size, minimum)

    def part(number: int, whole: Told) -> Told:
        return told_part(number, minimum, whole, may_list=may_list)

    return PreviewView(
        size=size,
        available_customers=available,
        share=found.size / found.available_customers if size.size is not None and found.available_customers else None,
        data_as_of=data_as_of,
        waterfall=[
            Step(step.pointer, encode_node(step.node), part(step.alone, available), part(step.after, available))
            for step in found.waterfall
        ],
        sample=[customer_id(key) for key in found.sample] if may_list and not size.small else [],
        overlap={group: part(number, size) for group, number in found.overlap.items()},
        joined=None if found.joined is None else part(found.joined, size),
        left=None if found.left is None else part(found.left, size),
    )


def encode_node(node: Node) -> dict[str, Any]:
    encoded: dict[str, Any] = encode(Definition(node))["match"]
    return encoded


def overlap_of(references: list[str], *, may_list: bool) -> list[tuple[list[str], Told]]:
    """For every combination that occurs: how many are in exactly these groups (G-19)."""
    if not FEWEST <= len(set(references)) <= MOST:
        raise ValueNotAllowed(f"An overlap is of {FEWEST} to {MOST} groups; {len(set(references))} were named.")
    rows = [group_row(one) for one in dict.fromkeys(references)]
    found = {row.id: stored_members(row) for row in rows}
    size = max((int(members.max()) + 1 for members in found.values() if members), default=1)
    minimum = publisher().minimum_size
    whole = told(sum(len(members) for members in found.values()), minimum)
    exact = overlap({identifier: Bitset.from_roaring(members, size) for identifier, members in found.items()})
    return [
        (sorted(combination), told_part(count, minimum, whole, may_list=may_list))
        for combination, count in sorted(exact.items(), key=lambda one: (-one[1], sorted(one[0])))
    ]
