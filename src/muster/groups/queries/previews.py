"""What an unsaved definition would select, told as the asker may know it (G-14, G-21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from muster.catalog.queries import publisher
from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation
from muster.engine.overlap import FEWEST, MOST, overlap
from muster.engine.preview import Preview, preview
from muster.groups.errors import ValueNotAllowed
from muster.groups.models import Group
from muster.groups.policies import Told, told, told_overlap, told_part, told_steps
from muster.groups.queries.clock import evaluation_at, not_historic
from muster.groups.queries.evaluation import evaluation, stored_members, vocabulary
from muster.groups.queries.groups import group_row
from muster.groups.queries.turns import TURNS, Turn
from muster.groups.terms import Kind
from muster.kernel.ids import customer_id
from muster.kernel.worded import worded
from muster.rules.codec import decode, encode
from muster.rules.nodes import Definition, Node

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

    definition: dict[str, Any]
    """In the form it would be saved in."""
    size: Told
    available_customers: Told
    share: float | None
    data_as_of: datetime | None
    waterfall: list[Step]
    sample: list[str]
    overlap: dict[str, Told]
    joined: Told | None
    left: Told | None
    not_historic: list[str] | None = None
    """With an evaluation clock: what the definition names that is taken as it is today."""
    alone: dict[str, Told] = field(default_factory=dict)
    """By JSON Pointer what every node selects by itself; only where it was asked for, and members may be listed."""


def preview_document(
    document: object,
    *,
    may_list: bool,
    edited: str | None = None,
    compared: Sequence[str] = (),
    editor: str | None = None,
    at: datetime | None = None,
) -> PreviewView:
    """As `preview_definition`, of a definition as JSON. `editor`: a later preview of the same one stops this one."""
    _check_compared(compared)
    with TURNS.turn(editor) as turn:
        definition = decode(document, vocabulary())
        return preview_definition(definition, may_list=may_list, edited=edited, compared=compared, turn=turn, at=at)


def preview_definition(
    definition: Definition,
    *,
    may_list: bool,
    edited: str | None = None,
    compared: Sequence[str] = (),
    turn: Turn | None = None,
    at: datetime | None = None,
    every_node: bool = False,
) -> PreviewView:
    """Evaluates a definition that is not saved. `edited`: the group whose saved members it is compared with.

    `at`: as if it were that instant (G-29). `query_interrupted` once the turn is overtaken.
    """
    _check_compared(compared)
    others = [group_row(one) for one in compared]
    saved_row = group_row(edited) if edited else None
    opened = evaluation() if at is None else evaluation_at(at)
    with opened as asked, (turn or Turn()).reads(asked.reader):
        found = preview(
            definition,
            asked,
            saved=_members(saved_row, asked) if saved_row else None,
            compared={row.id: _members(row, asked) for row in others},
            every_node=every_node and may_list,
        )
        data_as_of = asked.warehouse.data_as_of()
    shown = _told(encode(definition), found, data_as_of, {row.id: row for row in others}, saved_row, may_list=may_list)
    return shown if at is None else replace(shown, not_historic=not_historic(definition, at))


def _check_compared(compared: Sequence[str]) -> None:
    if len(compared) > MOST_COMPARED:
        raise ValueNotAllowed(
            worded("A preview overlaps with at most {most} groups.", most=MOST_COMPARED), pointer="/overlap"
        )


def _members(row: Group, asked: Evaluation) -> Bitset:
    return Bitset.from_roaring(stored_members(row), asked.size)


def _told(
    definition: dict[str, Any],
    found: Preview,
    data_as_of: datetime | None,
    others: dict[str, Group],
    saved: Group | None,
    *,
    may_list: bool,
) -> PreviewView:
    minimum = publisher().minimum_size
    available = told(found.available_customers, minimum)
    size = told(found.size, minimum)

    def part(number: int | None, whole: Told, other: Told) -> Told | None:
        if number is None:
            return None
        return Told(None, small=True) if other.small else told_part(number, minimum, whole, may_list=may_list)

    numbers = [(step.alone, step.after) for step in found.waterfall]
    steps = told_steps(numbers, found.size, available, minimum, may_list=may_list)
    before = _size_told(saved, minimum) if saved else size
    return PreviewView(
        definition=definition,
        size=size,
        available_customers=available,
        share=found.size / found.available_customers if size.size is not None and found.available_customers else None,
        data_as_of=data_as_of,
        waterfall=[
            Step(step.pointer, encode_node(step.node), alone, after)
            for step, (alone, after) in zip(found.waterfall, steps, strict=True)
        ],
        sample=[customer_id(key) for key in found.sample] if may_list and not size.small else [],
        overlap={
            group: told_part(number, minimum, size, _size_told(others[group], minimum), may_list=may_list)
            for group, number in found.overlap.items()
        },
        joined=part(found.joined, size, before),
        left=part(found.left, before, size),
        alone={pointer: told(number, minimum) for pointer, number in found.alone.items()},
    )


def _size_told(row: Group, minimum: int) -> Told:
    return told(row.size or 0, minimum, Kind(row.kind))


def encode_node(node: Node) -> dict[str, Any]:
    encoded: dict[str, Any] = encode(Definition(node))["match"]
    return encoded


def overlap_of(references: list[str], *, may_list: bool) -> list[tuple[list[str], Told]]:
    """For every combination that occurs: how many are in exactly these groups (G-19)."""
    rows = list({row.id: row for row in map(group_row, dict.fromkeys(references))}.values())
    if not FEWEST <= len(rows) <= MOST:
        raise ValueNotAllowed(
            worded(
                "An overlap is of {fewest} to {most} groups; {count} were named.",
                fewest=FEWEST,
                most=MOST,
                count=len(rows),
            )
        )
    found = {row.id: stored_members(row) for row in rows}
    minimum = publisher().minimum_size
    sizes = {row.id: told(len(found[row.id]), minimum, Kind(row.kind)) for row in rows}
    shown = told_overlap(overlap(found), sizes, minimum, may_list=may_list)
    # Largest first; what is not told stands at the end, or its place would tell of it.
    order = sorted(shown.items(), key=lambda one: (one[1].small, -(one[1].size or 0), sorted(one[0])))
    return [(sorted(combination), number) for combination, number in order]
