"""Appends a fixed sequence of batches from where the cursor stands; run by test_crash, which kills it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from muster.warehouse.batch import Batch
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item, Occurrence, OrderEntry
from tests.spec.customers.told import CATALOG, RECEIVED, at

BATCHES = 12
_ITEMS = 40


def batch(number: int) -> Batch:
    """Items about ten people and four visitors; each batch repeats some of the one before."""
    first = max(number * _ITEMS - 5, 0)
    return batch_of([_item(place) for place in range(first, (number + 1) * _ITEMS)], RECEIVED)


def _item(place: int) -> Item:
    random.seed(place)
    order = OrderEntry(
        random.choice(["completed", "completed", "refunded"]), f"o{random.randrange(60)}", amount_micros=place
    )
    return Item(
        place.to_bytes(16, "big"),
        at(minutes=random.randrange(9_999)),
        app=1,
        external_id=f"u{random.randrange(10)}",
        anonymous_id=random.choice([None, f"a{random.randrange(4)}"]),
        event=Occurrence(random.choice([2, 4, 6, 300])),
        order=order if place % 3 == 0 else None,
        traits={"name": f"n{place}"} if place % 7 == 0 else {},
    )


def main() -> None:
    append_all(Path(sys.argv[1]))


def append_all(directory: Path) -> None:
    with DuckDBWarehouse(directory) as warehouse:
        warehouse.use_catalog(CATALOG)
        batch(0)  # what is imported on first use is not what is to be interrupted
        print("open", flush=True)  # noqa: T201 - tells the parent when to begin counting
        for number in range(warehouse.cursors().get("spool", 0), BATCHES):
            warehouse.append(batch(number), CATALOG, {"spool": number + 1})


if __name__ == "__main__":
    main()
