"""Which facts are still to be derived from what came alone, and when: at the latest before anybody asks for facts."""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb
from pyroaring import BitMap

from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.derive import derive_late
from muster.warehouse.duckdb.scratch import count_of
from muster.warehouse.duckdb.settings import install_settings
from muster.warehouse.duckdb.writer import Writer


class Lateness:
    """Any thread may use it, but for `note`, which is the writer's."""

    def __init__(self, writer: Writer, ask: Callable[[Callable[[duckdb.DuckDBPyConnection], int]], int]) -> None:
        self._writer = writer
        left = ask(lambda cursor: count_of(cursor, "SELECT count(*) FROM late"))
        # Counted, not flagged: what comes while something is derived is late still.
        self._noted, self._derived = int(left > 0), 0
        self._lock = threading.Lock()
        self._settled = BitMap()

    @property
    def is_late(self) -> bool:
        return self._noted != self._derived

    def note(self) -> None:
        """An append under way leaves something to derive."""
        self._noted += 1

    def forget(self) -> None:
        """There are no rows any more."""
        self._derived = self._noted

    def settle(self, catalog: Catalog) -> None:
        """Derives it, if there is anything and the catalog is known yet: the facts of an empty one would be wrong."""
        if not self.is_late or not catalog.apps:
            return

        def write(connection: duckdb.DuckDBPyConnection) -> tuple[int, BitMap]:
            noted = self._noted
            if noted == self._derived:
                return noted, BitMap()
            install_settings(connection, catalog)
            return noted, derive_late(connection, catalog)

        noted, touched = self._writer.submit(write).result()
        with self._lock:
            self._derived = max(self._derived, noted)
            self._settled |= touched

    def take_settled(self) -> BitMap:
        with self._lock:
            taken, self._settled = self._settled, BitMap()
        return taken
