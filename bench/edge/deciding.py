"""Deciding: CPU a request beside a bare handler with the same look-ups, and beside Unleash where it is installed."""

from __future__ import annotations

import http.client
import json
import random
import statistics
from pathlib import Path

from bench.edge.load import Load, ask, memory_of, request
from bench.edge.report import report
from bench.edge.servers import bare_handler, edge_process
from bench.edge.unleash import unleash
from bench.edge.world import OPEN_KEY

_REQUESTS = 20_000
_LARGEST_MEMORY = 80 * 1024**2


def bench_decide(folder: Path, customers: int, rounds: int) -> Load:
    """Answers what one native call cost."""
    key = f"X-API-Key: {OPEN_KEY}"
    drawn = random.Random(5)
    names = [f"u{drawn.randrange(1, customers)}" for _ in range(_REQUESTS)]
    decisions = [request("/edge/v1/decide", _json({"customer": {"id": name}}), key) for name in names]
    flags = [request("/ofrep/v1/evaluate/flags", _json({"context": {"targetingKey": name}}), key) for name in names]
    with edge_process(folder) as edge, bare_handler("decide", str(folder / "online")) as bare:
        for asked, port in ((decisions, edge), (flags, edge), (decisions, bare)):
            ask(port.port, asked[:2_000], port.pids)
        runs = [
            (
                ask(edge.port, decisions, edge.pids),
                ask(bare.port, decisions, bare.pids),
                ask(edge.port, flags, edge.pids),
                _unchanged(edge.port, edge.pids, key, names),
            )
            for _ in range(rounds)
        ]
        memory = memory_of(edge.pids[0])
    ours, theirs, bulk, same = (statistics.median(run[place].cpu_us for run in runs) for place in range(4))
    ratio = statistics.median(run[0].cpu_us / run[1].cpu_us for run in runs)
    report("decide-vs-bare", ratio, 1.3, f"{ours:.1f} us of CPU against {theirs:.1f}, {customers:,} customers")
    ratio = statistics.median(run[3].cpu_us / run[2].cpu_us for run in runs)
    report("ofrep-304-vs-200", ratio, 0.9, f"{same:.1f} us against {bulk:.1f}")
    report("edge-memory", memory / _LARGEST_MEMORY, 1.0, f"{memory / 1024**2:.0f} MiB of 80, mapped pages apart")
    _bench_unleash(ours, bulk)
    return runs[-1][0]


def _bench_unleash(decision: float, bulk: float) -> None:
    with unleash() as running:
        if running is None:
            print("unleash is not installed: `make bench-unleash` (wants PostgreSQL); not measured", flush=True)
            return
        asked = [running.request(f"u{number}") for number in range(2_000)]
        ask(running.port, asked[:500], running.pids)
        theirs = ask(running.port, asked, running.pids).cpu_us
    report("decide-vs-unleash", decision / theirs, 0.1, f"{decision:.1f} us against {theirs:.0f}, ten flags")
    report("ofrep-vs-unleash", bulk / theirs, 0.125, f"{bulk:.1f} us against {theirs:.0f}")


def _unchanged(port: int, pids: list[int], key: str, names: list[str]) -> Load:
    """One person who asks again and again, with the tag of the last answer."""
    body = _json({"context": {"targetingKey": names[0]}})
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/ofrep/v1/evaluate/flags", body, {"X-API-Key": OPEN_KEY})
    tag = connection.getresponse().headers["ETag"]
    connection.close()
    again = request("/ofrep/v1/evaluate/flags", body, key, f"If-None-Match: {tag}")
    return ask(port, [again] * _REQUESTS, pids, status=304)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
