"""Whom time will change next, read together ahead of it: they stay as they are for as long as nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pyroaring import BitMap

from muster.customers.hooks import current_warehouse
from muster.groups.actions.following.kept import Prepared
from muster.warehouse.port import Person

# To read so many costs twice what one costs, and lets the warehouse rest for minutes.
_AT_ONCE = 100

Coming = Callable[[int], BitMap]
"""So many of those whose time comes next."""


class Foreseen:
    def __init__(self) -> None:
        self._stands: tuple[object, ...] = ()
        self._asked = BitMap()
        self._people: dict[int, Person] = {}

    def people(self, keys: Collection[int], prepared: Prepared, coming: Coming) -> dict[int, Person]:
        """Customers as they are now, by key; who is none is absent. Facts must not be late."""
        asked = current_warehouse()
        stands = (asked.written, asked.catalog, prepared)
        quiet = stands == self._stands
        if not quiet:
            self._people = {}
            self._asked = BitMap()
        wanted = BitMap(keys)
        if not wanted <= self._asked:
            # The first look after something was written is for them alone: perhaps more is written at once.
            self._asked = wanted | coming(_AT_ONCE) if quiet else wanted
            self._people = asked.few(list(self._asked), prepared.needed)
            # Late facts may have been derived for it; nothing that was read before is kept.
            self._stands = (asked.written, *stands[1:]) if asked.written == stands[0] else ()
        return {key: self._people[key] for key in wanted if key in self._people}
