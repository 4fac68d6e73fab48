"""An online store of any size: customers, 128 published groups of which ten are shown, one app with its keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pyroaring import BitMap

from muster.online.port import Plan, PlanGroup, PublishedKey, key_digest
from muster.online.publication import Identity, Publication
from muster.online.writer import OnlineWriter

OPEN_KEY, SERVER_KEY = "mpk_bench", "msk_bench"
GROUPS, SHOWN = 128, 10
KEYS = {
    key_digest(OPEN_KEY): PublishedKey(app=1, source=1, kind="publishable", app_key="notes"),
    key_digest(SERVER_KEY): PublishedKey(app=1, source=2, kind="server", scopes=("ingest", "decide"), app_key="notes"),
}
PLAN = Plan(
    tuple(PlanGroup(f"grp_{bit}", f"group-{bit}", bit, "open" if bit < SHOWN else "never") for bit in range(GROUPS))
)


def prepare(folder: Path, customers: int) -> None:
    """Publishes it, unless it is there."""
    marker = folder / f"of-{customers}"
    if marker.exists():
        return
    writer = OnlineWriter(folder / "online")
    writer.publish_keys(KEYS)
    random = np.random.default_rng(7)
    aside = writer.rebuild(GROUPS)
    aside.put_masks({bit: _members(random, customers, bit) for bit in range(GROUPS)})
    aside.put_identities((Identity("external", 0, f"u{number}"), number) for number in range(1, customers + 1))
    aside.switch(Publication(plans={1: PLAN}, data_as_of="2026-11-21T19:04:11Z"))
    writer.close()
    marker.touch()


def _members(random: np.random.Generator, customers: int, bit: int) -> BitMap:
    """Between one in two and one in a thousand."""
    share = 0.5 / (1 + 4 * bit)
    keys = np.flatnonzero(random.random(customers) < share) + 1
    return BitMap(keys.astype(np.uint32))
