"""What need not be done with every cycle: how old the data of all groups is, and how many entries still name nobody."""

from __future__ import annotations

import time
from contextlib import suppress

from muster.customers.hooks import current_warehouse
from muster.groups.actions.following.kept import Memory
from muster.groups.actions.following.storing import Found
from muster.groups.actions.lists import rematch
from muster.groups.models import Group
from muster.groups.terms import EVALUATED, Cause, Kind

_SECONDS_BETWEEN_STAMPS = 30.0
_SECONDS_BETWEEN_COUNTS = 60.0
# A list of so many entries is counted in milliseconds.
_SHORT_LIST = 10_000
_SECONDS_BETWEEN_SHORT_COUNTS = 1.0


class Upkeep:
    def __init__(self) -> None:
        self._is_newer = False
        self._stamped_at = float("-inf")
        self._recount: set[str] = set()
        self._counted_at = self._short_counted_at = float("-inf")

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
        if self._recount:
            self._count(memory, time.monotonic())

    def _count(self, memory: Memory, now: float) -> None:
        """From the list itself: by whom an entry was named before is not kept."""
        self._recount &= memory.groups.keys()
        due: set[str] = set()
        if now - self._short_counted_at >= _SECONDS_BETWEEN_SHORT_COUNTS:
            self._short_counted_at = now
            short = Group.objects.filter(id__in=self._recount, entry_count__lte=_SHORT_LIST)
            due |= set(short.values_list("id", flat=True))
        if now - self._counted_at >= _SECONDS_BETWEEN_COUNTS:
            self._counted_at = now
            due |= self._recount
        for row in Group.objects.filter(id__in=due):
            # It may be deleted by now.
            with suppress(Group.DoesNotExist):
                rematch(row, Cause.DATA)
        self._recount -= due
