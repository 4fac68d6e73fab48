"""What may be told of how many people there are (D-43)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class People:
    """A number of people as it may be told; `small`: fewer than the privacy floor, and no number."""

    count: int | None
    small: bool = False


def told_people(count: int, minimum_size: int, *, may_list: bool) -> People:
    """Exact for those who may list people anyway; for others nobody and many are told, few are Small."""
    if may_list or count == 0 or count >= minimum_size:
        return People(count)
    return People(None, small=True)
