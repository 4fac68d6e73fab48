"""Taking in: what a message costs in a batch of a hundred, and how many single ones share a wait for the disk."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.edge.load import ask, request
from bench.edge.report import report
from bench.edge.servers import edge_process
from bench.edge.slow_disk import SECONDS
from bench.edge.world import OPEN_KEY

_BATCH, _BATCHES = 100, 500
_US_AN_ITEM = 1e6 / 300_000
_SINGLES = 20_000


def bench_ingest(folder: Path, rounds: int) -> None:
    """What it costs is its best round: others on the machine only add to that. The middle one is said, too."""
    batches = [_batch(number) for number in range(_BATCHES)]
    stored = _rounds(folder, "muster.edge.process", batches, rounds)
    nothing = _rounds(folder, "bench.edge.hollow", batches, rounds)
    best, item, hollow = (cpu_us / _BATCH for cpu_us in (min(stored), median(stored), median(nothing)))
    report("ingest-batches", best / _US_AN_ITEM, 1.0, f"{best:.2f} us of CPU an item, {item:.2f} in the middle")
    told = f"{hollow:.2f} us an item without storing"
    report("ingest-vs-storing-nothing", hollow / item, 0.25, told, at_least=True)
    _bench_singles(folder)


def _rounds(folder: Path, module: str, batches: Sequence[bytes], rounds: int) -> list[float]:
    """Microseconds of CPU a request, in each."""
    with edge_process(folder, module) as edge:
        ask(edge.port, batches, edge.pids)
        return [ask(edge.port, batches, edge.pids).cpu_us for _ in range(rounds)]


def _bench_singles(folder: Path) -> None:
    """On the disk there is, and on one that takes 2 ms for each wait: only there is anything to be shared."""
    singles = [_single(number) for number in range(_SINGLES)]
    for name, module, wait in (("", "muster.edge.process", 0.0), ("-2ms-disk", "bench.edge.slow_disk", SECONDS)):
        alone = _commits_a_second(folder, wait)
        with edge_process(folder, module) as edge:
            ask(edge.port, singles[:1_000], edge.pids, connections=64)
            together = ask(edge.port, singles, edge.pids, connections=64)
        told = f"{together.a_second:,.0f} requests/s of 64 clients against {alone:,.0f} commits/s one after the other"
        if wait:
            report(f"ingest-singles{name}", together.a_second / alone, 5.0, told, at_least=True)
        else:
            print(f"ingest-singles: {told}", flush=True)


def _commits_a_second(folder: Path, wait: float) -> float:
    """As the spool commits, one request a transaction."""
    file = folder / "commits.sqlite3"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE batch (seq INTEGER PRIMARY KEY, body BLOB)")
    body = os.urandom(400)
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < 2:
        time.sleep(wait)
        connection.execute("INSERT INTO batch (body) VALUES (?)", [body])
        count += 1
    seconds = time.perf_counter() - begun
    connection.close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    return count / seconds


def _message(number: int) -> dict[str, object]:
    """As the library of Segment for Node writes it."""
    return {
        "type": "track",
        "event": "Level Up",
        "userId": f"u{number % 100_000}",
        "messageId": f"node-next-{number:020d}-8c1a2f0e9d",
        "timestamp": "2026-11-21T18:44:55.123Z",
        "properties": {"level": number % 50, "world": "north", "score": number * 1.5},
        "context": {"library": {"name": "@segment/analytics-node", "version": "2.3.0"}},
        "integrations": {},
        "_metadata": {"nodeVersion": "20.20.2"},
    }


def _batch(number: int) -> bytes:
    messages = [_message(number * _BATCH + one) for one in range(_BATCH)]
    body = json.dumps({"batch": messages, "sentAt": "2026-11-21T18:44:56.000Z"}, separators=(",", ":")).encode()
    return request("/v1/batch", body, "Content-Type: application/json", f"X-API-Key: {OPEN_KEY}")


def _single(number: int) -> bytes:
    body = json.dumps(_message(number), separators=(",", ":")).encode()
    return request("/v1/track", body, "Content-Type: application/json", f"X-API-Key: {OPEN_KEY}")
