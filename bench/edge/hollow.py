"""An edge process that stores nothing of what it takes in: what is left is HTTP and reading."""

from __future__ import annotations

from muster.edge import app, process
from muster.edge.storing import Storing
from muster.spool.entries import Entry


class Hollow(Storing):
    async def store(self, entry: Entry) -> str:
        return f"{self.slot}.{entry.items}"


if __name__ == "__main__":
    app.Storing = Hollow  # type: ignore[misc]  # what is measured is the rest
    process.main()
