"""May this happen to a group in its state, and what of its size may be told."""

from __future__ import annotations

from dataclasses import dataclass

from muster.groups.errors import InUse, StateNotAllowed
from muster.groups.hooks import Use
from muster.groups.terms import TRANSITIONS, Kind, State


@dataclass(frozen=True)
class Told:
    """A size as it may be told: the number, or `small` with no number (G-21)."""

    size: int | None
    small: bool = False


def check_can(verb: str, state: State, name: str) -> State:
    """The state the verb leads to; `state_not_allowed` says from which states it would."""
    targets = TRANSITIONS[verb]
    if state not in targets:
        allowed = ", ".join(targets)
        raise StateNotAllowed(f"“{name}” is {state}; {verb} is possible for a group that is {allowed}.")
    return targets[state]


def check_unused(name: str, uses: list[Use], verb: str) -> None:
    """`in_use` names what uses the group (G-22)."""
    if uses:
        listed = ", ".join(f"{use.kind} “{use.name}”" for use in uses)
        raise InUse(
            f"“{name}” cannot be {verb}: it is used by {listed}. Remove it there first.",
            details={"used_by": [vars(use) for use in uses]},
        )


def told(size: int | None, minimum_size: int, kind: Kind = Kind.SEGMENT) -> Told:
    """The whole size of a set: below the floor it is Small for everybody, unless its members are known by design."""
    if size is None or kind is Kind.KNOWN or size == 0 or size >= minimum_size:
        return Told(size)
    return Told(None, small=True)


def told_part(size: int, minimum_size: int, whole: Told, *, may_list: bool) -> Told:
    """A part of a larger set: exact for those who may list the members, and nobody else learns a small one.

    Nothing is told of the parts of a Small whole, and a part so near the whole that the rest would be small is
    withheld too: subtraction must not give what is not told (D-44).
    """
    if may_list and not whole.small:
        return Told(size)
    if whole.small or whole.size is None:
        return Told(None, small=True)
    rest = whole.size - size
    if 0 < size < minimum_size or 0 < rest < minimum_size:
        return Told(None, small=True)
    return Told(size)
