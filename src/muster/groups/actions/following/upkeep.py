"""What need not be done with every cycle: how old the data of all groups is, and how many entries still name nobody."""

from __future__ import annotations

import time

from muster.customers.hooks import current_warehouse
from muster.groups.actions.following.kept import Memory
from muster.groups.actions.following.storing import Found
from muster.groups.actions.lists import rematch
from muster.groups.models import Group
from muster.groups.terms import EVALUATED, Cause, Kind

_SECONDS_BETWEEN_STAMPS = 30.0
_SECONDS_BETWEEN_COUNTS = 60.0


class Upkeep:
    def __init__(self) -> None:
        self._is_newer = False
        self._stamped_at = float("-inf")
        self._recount: set[str] = set()
        self._counted_at = float("-inf")

    def note(self, found: Found) -> None:
        """A cycle was stored."""
        self._is_newer = True
        self._recount |= found.pending.keys()

    def tidy(self, memory: Memory) -> None:
        """Nearly free, if nothing was followed."""
        if self._is_newer and time.monotonic() - self._stamped_at >= _SECONDS_BETWEEN_STAMPS:
            self._stamped_at, self._is_newer = time.monotonic(), False
            rows = Group.objects.filter(kind=Kind.SEGMENT, state__in=EVALUATED)
            rows.update(data_as_of=current_warehouse().data_as_of())
        if self._recount and time.monotonic() - self._counted_at >= _SECONDS_BETWEEN_COUNTS:
            # Counted from the list itself: by whom an entry was named before is not kept.
            for row in Group.objects.filter(id__in=self._recount & memory.groups.keys()):
                rematch(row, Cause.DATA)
            self._recount.clear()
            self._counted_at = time.monotonic()
