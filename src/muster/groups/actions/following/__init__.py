"""Groups follow the data and the clock: whoever was touched is evaluated again, and nobody else (G-15)."""

from __future__ import annotations

from muster.groups.actions.following.agreement import check_agreement
from muster.groups.actions.following.follower import Follower, Sizes

__all__ = ["Follower", "Sizes", "check_agreement", "current_follower", "provide_follower"]

_provided: list[Follower] = []


def provide_follower(follower: Follower | None) -> None:
    """Of this process; None once it is told nothing any more."""
    _provided[:] = [] if follower is None else [follower]


def current_follower() -> Follower | None:
    """None in a process that does not follow: there everybody is evaluated."""
    return _provided[0] if _provided else None
