"""Publishing: what 10,000 changed customers cost beside a bare `putmulti` of the bytes that change; and everything."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import lmdb
import numpy as np
from pyroaring import BitMap

from bench.edge.report import report
from bench.edge.world import GROUPS, PLAN, _members
from muster.online.publication import Moved, Publication
from muster.online.writer import OnlineWriter

_CHANGED = 10_000
_ROUNDS = 7


def bench_publication(customers: int) -> None:
    random = np.random.default_rng(11)
    with tempfile.TemporaryDirectory(prefix="mst-", dir="var/bench/edge") as folder:
        writer = OnlineWriter(Path(folder) / "online")
        members = {bit: _members(random, customers, bit) for bit in range(GROUPS)}
        begun = time.perf_counter()
        aside = writer.rebuild(GROUPS)
        aside.put_masks(members)
        aside.switch(Publication(plans={1: PLAN}))
        whole = time.perf_counter() - begun
        width = writer.state.width
        pairs = [_pair(writer, Path(folder), random, customers, width) for _ in range(_ROUNDS)]
        writer.close()
        bare = _bare_whole(Path(folder), customers, width)
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
    report("publication-10k-vs-putmulti", ratio, 3.0, f"{ours:.0f} ms against {theirs:.0f} ms")
    report(
        "publication-full-vs-putmulti", whole / bare, 6.0, f"{whole:.2f} s against {bare:.2f} s, {customers:,} x 128"
    )


def _pair(
    writer: OnlineWriter, folder: Path, random: np.random.Generator, customers: int, width: int
) -> tuple[float, float]:
    keys = np.unique(random.integers(1, customers, _CHANGED)).astype(np.uint32)
    begun = time.perf_counter()
    writer.publish(Publication(moved={3: Moved(BitMap(keys[::2]), BitMap(keys[1::2]))}))
    ours = time.perf_counter() - begun
    blocks = sorted({int(key) >> 6 for key in keys})
    return ours, _put(folder / "bare", [(one.to_bytes(4, "big"), bytes(64 * width)) for one in blocks])


def _bare_whole(folder: Path, customers: int, width: int) -> float:
    return _put(folder / "whole", ((one.to_bytes(4, "big"), bytes(64 * width)) for one in range((customers >> 6) + 1)))


def _put(folder: Path, records: object) -> float:
    environment = lmdb.open(str(folder), map_size=64 * 1024**3, max_dbs=2)
    database = environment.open_db(b"masks")
    begun = time.perf_counter()
    with environment.begin(write=True) as transaction:
        transaction.cursor(db=database).putmulti(records)
    seconds = time.perf_counter() - begun
    environment.close()
    return seconds
