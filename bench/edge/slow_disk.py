"""An edge process on a disk that takes `SECONDS` for each wait, as those without a battery do."""

from __future__ import annotations

import time
from typing import Any

from muster.edge import process, storing
from muster.spool.writer import SpoolWriter

SECONDS = 0.002


class SlowWriter(SpoolWriter[Any]):
    def _commit(self, taken: list[Any]) -> None:
        time.sleep(SECONDS)
        super()._commit(taken)


if __name__ == "__main__":
    storing.SpoolWriter = SlowWriter  # type: ignore[misc]  # the rest is what is measured
    process.main()
