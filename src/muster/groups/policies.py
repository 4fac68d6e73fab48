"""May this happen to a group in its state, and what of its size may be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from muster.groups.errors import InUse, StateNotAllowed
from muster.groups.hooks import USERS, Use
from muster.groups.terms import STATES, TRANSITIONS, VERBS, Kind, State
from muster.kernel.worded import Worded, each, worded


@dataclass(frozen=True)
class Told:
    """A size as it may be told: the number, or `small` with no number (G-21)."""

    size: int | None
    small: bool = False


def check_can(verb: str, state: State, name: str) -> State:
    """The state the verb leads to; `state_not_allowed` says from which states it would."""
    targets = TRANSITIONS[verb]
    if state not in targets:
        raise StateNotAllowed(
            worded(
                "“{name}” is {state}; {verb} is possible for a group that is {allowed}.",
                name=name,
                state=STATES[state],
                verb=VERBS[verb],
                allowed=each(STATES[one] for one in targets),
            )
        )
    return targets[state]


def check_unused(name: str, uses: list[Use], verb: Worded) -> None:
    """`in_use` names what uses the group (G-22)."""
    if uses:
        raise InUse(
            worded(
                "“{name}” cannot be {verb}: it is used by {users}. Remove it there first.",
                name=name,
                verb=verb,
                users=users_of(uses),
            ),
            details={"used_by": [vars(use) for use in uses]},
        )


def users_of(uses: Iterable[Use]) -> str:
    return each(worded("{kind} “{name}”", kind=USERS.get(use.kind, use.kind), name=use.name) for use in uses)


def is_large_removal(leaving: int, entries: int) -> bool:
    """Whether taking so many of the entries off a list wants to be confirmed (G-25)."""
    return leaving * 2 > entries


def told(size: int | None, minimum_size: int, kind: Kind = Kind.SEGMENT) -> Told:
    """The whole size of a set: below the floor it is Small for everybody, unless its members are known by design."""
    if size is None or kind is Kind.KNOWN or size == 0 or size >= minimum_size:
        return Told(size)
    return Told(None, small=True)


def told_part(size: int, minimum_size: int, *wholes: Told, may_list: bool) -> Told:
    """A part of larger sets: exact for those who may list the members, and nobody else learns a small one.

    Nothing is told of the parts of a Small whole, and a part so near a whole that the rest would be small is
    withheld too: subtraction must not give what is not told (D-44).
    """
    if any(whole.small for whole in wholes):
        return Told(None, small=True)
    if may_list:
        return Told(size)
    rests = [abs(whole.size - size) for whole in wholes if whole.size is not None]
    if any(0 < one < minimum_size for one in (size, *rests)):
        return Told(None, small=True)
    return Told(size)


def told_change(
    joined: int, left: int, sizes: tuple[int, int], minimum_size: int, kind: Kind, *, may_list: bool
) -> tuple[Told, Told]:
    """How many joined and left between two sizes of a group. The sizes tell their difference: both or neither."""
    if kind is Kind.KNOWN:
        return Told(joined), Told(left)
    before, after = (told(size, minimum_size) for size in sizes)
    parts = (
        told_part(joined, minimum_size, after, may_list=may_list),
        told_part(left, minimum_size, before, may_list=may_list),
    )
    hidden = before.small or after.small or any(part.small for part in parts)
    return (Told(None, small=True), Told(None, small=True)) if hidden else parts


def told_steps(
    steps: Iterable[tuple[int, int]], size: int, available: Told, minimum_size: int, *, may_list: bool
) -> list[tuple[Told, Told]]:
    """The waterfall's (alone, after) pairs; `size` is what the whole definition selects.

    The last step is the whole: where the whole is Small, every step that is as small is too, whoever asks.
    """
    whole = told(size, minimum_size)
    shown: list[tuple[Told, Told]] = []
    before = available
    for alone, after in steps:
        if whole.small and may_list:
            shown.append((told(alone, minimum_size), told(after, minimum_size)))
            continue
        known = [available] if whole.small else [available, whole]
        told_alone = told_part(alone, minimum_size, *known, may_list=may_list)
        told_after = told_part(after, minimum_size, *known, *_said(before, told_alone), may_list=may_list)
        if not told_after.small:
            before = told_after
        shown.append((told_alone, told_after))
    return shown


def _said(*numbers: Told) -> list[Told]:
    return [number for number in numbers if not number.small]


def told_breakdown(
    counts: Sequence[tuple[int, int]],
    size: Told,
    available: Told,
    minimum_size: int,
    *,
    exclusive: bool,
    may_list: bool,
) -> list[tuple[Told, Told]]:
    """(of the group, of the population) for every value: both parts of their wholes, and one of the other (D-44).

    The parts of an `exclusive` breakdown sum up to their whole: where what is withheld would be small, the smallest
    part that is told is withheld as well.
    """
    if may_list and not (size.small or available.small):
        return [(Told(group), Told(population)) for group, population in counts]
    populations = [told_part(count, minimum_size, available, may_list=False) for _, count in counts]
    groups = [
        told_part(count, minimum_size, size, *_said(population), may_list=False)
        for (count, _), population in zip(counts, populations, strict=True)
    ]
    if exclusive:
        populations = _without_remainder(populations, [count for _, count in counts], minimum_size)
        groups = _without_remainder(groups, [count for count, _ in counts], minimum_size)
    return list(zip(groups, populations, strict=True))


def _without_remainder(parts: list[Told], counts: list[int], minimum_size: int) -> list[Told]:
    """Withholds further parts until what is withheld in all is nothing or not small."""
    parts = list(parts)
    while 0 < sum(count for part, count in zip(parts, counts, strict=True) if part.small) < minimum_size:
        open_parts = [place for place, part in enumerate(parts) if part.size]
        if not open_parts:
            break
        parts[min(open_parts, key=lambda place: counts[place])] = Told(None, small=True)
    return parts


def told_overlap(
    cells: Mapping[frozenset[str], int], sizes: Mapping[str, Told], minimum_size: int, *, may_list: bool
) -> dict[frozenset[str], Told]:
    """How many are in exactly these groups: `cells` by combination, `sizes` of the groups as they are told.

    A cell of a Small group is told to nobody. The cells of a group sum up to its size, so where what is withheld of
    it would be small, the smallest cell that is told is withheld as well (D-44).
    """
    small = {group for group, size in sizes.items() if size.small}
    hidden = {
        groups for groups, count in cells.items() if groups & small or (not may_list and 0 < count < minimum_size)
    }
    changed = True
    while changed:
        changed = False
        for group in sizes.keys() - small:
            open_cells = [groups for groups in cells if group in groups and groups not in hidden]
            withheld = sum(count for groups, count in cells.items() if group in groups and groups in hidden)
            if open_cells and 0 < withheld < minimum_size:
                hidden.add(min(open_cells, key=lambda groups: (cells[groups], sorted(groups))))
                changed = True
    return {groups: Told(None, small=True) if groups in hidden else Told(count) for groups, count in cells.items()}
