"""A whole installation: how soon an event is in a decision, alone and among a thousand a second; what resting costs."""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx

from bench.edge.load import cpu_of, descendants, memory_of
from bench.edge.report import report
from bench.segments import conditions
from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.builder import BatchBuilder
from muster.warehouse.catalog import App, Catalog, EventKind, Trust
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Device, Item, Occurrence, OrderEntry

_SEGMENTS = 100
_PROBES = 200
_APPEND_AT_ONCE = 25_000
# What a start leaves to be done is done, and nothing happens yet.
_SECONDS_TO_SETTLE = 20
_SOONEST_SECONDS = 0.015
_SECONDS_BETWEEN_LOOKS = 0.002
_FLAG = "group.ordered-now"
_COUNTRIES = ("US", "DE", "FR", "GB", "NO", "SE", "ES", "IT", "JP", "BR")
_EVENTS = ("app_opened", "screen_viewed", "app_crashed", "level_up", "shared")


@dataclass
class Whole:
    rest: httpx.Client
    edge: str
    pid: int
    server_key: str
    open_key: str

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.edge.removeprefix("http://").partition(":")
        return host, int(port)


@contextmanager
def serving(home: Path) -> Iterator[Whole]:

    environment = {**os.environ, "MUSTER_HOME": str(home), "MUSTER_PORT": "0", "MUSTER_EDGE_PORT": "0"}
    environment["MUSTER_EDGE_PROCESSES"] = "1"
    process = subprocess.Popen(
        [sys.executable, "-m", "muster.wiring.main", "serve"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    edge = ""
    for line in process.stdout:
        edge = line.split()[-1] if line.startswith("Apps send to ") else edge
        if line.startswith("Muster serves "):
            break
    transport = httpx.HTTPTransport(uds=str(home / "control.sock"))
    try:
        with httpx.Client(transport=transport, base_url="http://localhost/api/v1", timeout=300) as rest:
            keys = _keys(rest, home)
            yield Whole(rest, edge, process.pid, keys["server"], keys["publishable"])
    finally:
        process.terminate()
        process.wait(60)


def _keys(rest: httpx.Client, home: Path) -> Mapping[str, str]:
    file = home / "bench-keys.json"
    if not file.exists():
        rest.post("/apps", json={"key": "notes"}).raise_for_status()
        rest.post("/apps", json={"key": "rides"}).raise_for_status()
        for event in ("level_up", "shared"):
            made = {"key": event, "is_activity": True, "properties": {"level": "number", "world": "text"}}
            rest.post("/apps/notes/events", json=made).raise_for_status()
        kinds = ("server", "publishable")
        told = {kind: rest.post("/apps/notes/keys", json={"kind": kind}).json()["key"] for kind in kinds}
        file.write_text(json.dumps(told), encoding="utf-8")
    return dict(json.loads(file.read_text(encoding="utf-8")))


def prepare(home: Path, customers: int) -> None:
    """Customers with what they did, put in as the drain would; a hundred segments, one of them shown to apps."""
    if (home / "bench-ready").exists():
        return
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with serving(home) as whole:
        events = {one["key"]: one["number"] for one in _all(whole.rest, "/apps/notes/events") if "number" in one}
    _fill(home, customers, events)
    with serving(home) as whole:
        _make_segments(whole.rest)
    (home / "bench-ready").touch()


def _all(rest: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = rest.get(path, params={"limit": 1_000})
    answer.raise_for_status()
    return list(answer.json()["items"])


def _fill(home: Path, customers: int, numbers: Mapping[str, int]) -> None:
    known = {key: event.number for key, event in STANDARD_EVENTS.items()} | dict(numbers)
    kinds = {key: EventKind(key, number, True) for key, number in known.items()}
    catalog = Catalog({"notes": App("notes", 1), "rides": App("rides", 2)}, events=kinds)
    now = datetime.now(UTC)
    dice = random.Random(1)
    with DuckDBWarehouse(home / "warehouse") as warehouse:
        for first in range(1, customers + 1, _APPEND_AT_ONCE):
            builder = BatchBuilder(now)
            for number in range(first, min(first + _APPEND_AT_ONCE, customers + 1)):
                for item in _items(number, now, known, dice):
                    builder.add(item)
            warehouse.append(builder.build(), catalog, derive=False)
        warehouse.derive_stale(catalog)
        warehouse.checkpoint()


def _items(number: int, now: datetime, known: Mapping[str, int], dice: random.Random) -> Iterator[Item]:
    name = f"u{number}"
    traits = {
        "country": dice.choice(_COUNTRIES),
        "gender": dice.choice(["male", "female"]),
        "age": dice.randrange(18, 70),
    }
    yield Item(dice.randbytes(16), now - timedelta(days=400), 1, name, traits=traits)
    device = Device(f"d{number}", "phone", dice.choice(["iOS", "Android", "Windows"]))
    for _ in range(dice.choice([2, 3, 4, 5])):
        at = now - timedelta(days=dice.random() * 100)
        event = Occurrence(known[dice.choice(_EVENTS)], {"level": dice.randrange(50), "world": "north"})
        yield Item(dice.randbytes(16), at, 1, name, event=event, device=device)
    if number % 3 == 0:
        order = OrderEntry("completed", f"o{number}", amount_micros=dice.randrange(1, 200) * 1_000_000, currency="EUR")
        at = now - timedelta(days=40 + dice.random() * 300)
        yield Item(dice.randbytes(16), at, 1, name, trust=Trust.SERVER, order=order)


def _make_segments(rest: httpx.Client) -> None:
    pool = [condition for condition, _ in conditions()]
    dice = random.Random(20)
    for number in range(_SEGMENTS - 1):
        chosen = dice.sample(pool, dice.choice([2, 3, 3, 4, 5]))
        definition = {"version": 1, "app": "notes", "match": {dice.choice(["all", "any"]): chosen}}
        made = rest.post("/groups", json={"key": f"s{number}", "name": f"S{number}", "definition": definition})
        made.raise_for_status()
    match = {"event": "order_completed", "value": 1, "when": {"last": "P1D"}}
    definition = {"version": 1, "app": "notes", "match": match}
    made = rest.post(
        "/groups",
        json={"key": "ordered-now", "name": "Ordered now", "definition": definition, "exposure": "open"},
    )
    made.raise_for_status()


def bench_whole(home: Path, customers: int, *, loaded: bool) -> None:
    with serving(home) as whole:
        time.sleep(_SECONDS_TO_SETTLE)
        if not loaded:
            _rest(whole, customers)
        probe = _Probe(whole, customers)
        for _ in range(5):
            probe.once()
        alone = [probe.once(pause=0.3) for _ in range(_PROBES // 4)]
        told = f"p50 {statistics.median(alone) * 1e3:.1f} ms, worst of {len(alone)} {max(alone) * 1e3:.0f} ms"
        report("event-to-decision-idle", statistics.median(alone) / 0.025, 1.0, f"{told}, {customers:,} customers")
        if loaded:
            _among_others(whole, probe, customers)


class _Probe:
    """Somebody orders; how long until the flag says so."""

    def __init__(self, whole: Whole, customers: int) -> None:
        self._whole = whole
        self._sender, self._asker = HTTPConnection(*whole.address), HTTPConnection(*whole.address)
        self._dice = random.Random()
        self._customers = customers
        self._used: set[int] = set()

    def once(self, pause: float = 0.0) -> float:
        time.sleep(pause * (0.5 + self._dice.random()))
        number = next(n for n in iter(lambda: self._dice.randrange(1, self._customers), None) if n not in self._used)
        self._used.add(number)
        message = {
            "type": "track",
            "userId": f"u{number}",
            "event": "Order Completed",
            "properties": {"order_id": f"b{number}-{self._dice.random()}", "revenue": 9.5, "currency": "EUR"},
        }
        begun = time.perf_counter()
        self._post(self._sender, "/v1/track", message, self._whole.server_key)
        # Asked sooner, it would only take from two cores what is measured.
        time.sleep(_SOONEST_SECONDS)
        asked = {"context": {"targetingKey": f"u{number}"}}
        while True:
            flag = self._post(self._asker, f"/ofrep/v1/evaluate/flags/{_FLAG}", asked, self._whole.open_key)
            if flag["value"]:
                return time.perf_counter() - begun
            if time.perf_counter() - begun > 60:
                raise RuntimeError(f"u{number} ordered and is not in the group: {flag}")
            # Ever more slowly: a key may ask so many times a second.
            time.sleep(max(_SECONDS_BETWEEN_LOOKS, (time.perf_counter() - begun) / 40))

    def _post(self, connection: HTTPConnection, path: str, document: object, key: str) -> dict[str, Any]:
        connection.request("POST", path, json.dumps(document), {"X-API-Key": key})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return dict(json.loads(body))


def _rest(whole: Whole, customers: int) -> None:
    """A minute in which nothing happens."""
    pids = descendants(whole.pid)
    begun, before = time.perf_counter(), cpu_of(pids)
    time.sleep(60)
    share = (cpu_of(pids) - before) / (time.perf_counter() - begun)
    memory = sum(memory_of(pid) for pid in pids)
    report("idle-cpu", share / 0.004, 1.0, f"{share:.2%} of a core, {len(pids)} processes, {customers:,} customers")
    report("idle-memory", memory / 500e6, 1.0, f"{memory / 1e6:.0f} MB of 500")


def _among_others(whole: Whole, probe: _Probe, customers: int) -> None:
    """A thousand events a second, and a probe now and then."""
    stop = threading.Event()
    sent: list[int] = []
    thread = threading.Thread(target=_send_all, args=(whole, customers, stop, sent))
    thread.start()
    begun = time.perf_counter()
    try:
        time.sleep(5)
        found = [probe.once(pause=0.2) for _ in range(_PROBES)]
    finally:
        stop.set()
        thread.join()
    rate = sum(sent) / (time.perf_counter() - begun)
    slow = sorted(found)[int(len(found) * 0.99)]
    told = f"p50 {statistics.median(found) * 1e3:.0f} ms, p99 {slow * 1e3:.0f} ms at {rate:,.0f} events/s"
    report("event-to-decision-loaded", slow / 1.0, 1.0, f"{told}, {customers:,} customers, {_SEGMENTS} segments")


def _send_all(whole: Whole, customers: int, stop: threading.Event, sent: list[int]) -> None:
    connection = HTTPConnection(*whole.address)
    dice = random.Random(3)
    next_at = time.perf_counter()
    while not stop.is_set():
        batch = [
            {
                "type": "track",
                "userId": f"u{dice.randrange(1, customers)}",
                "event": dice.choice(["Level Up", "App Opened", "Shared"]),
                "properties": {"level": dice.randrange(50)},
            }
            for _ in range(50)
        ]
        connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), {"X-API-Key": whole.server_key})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            sent.append(len(batch))
        next_at += 0.05
        time.sleep(max(next_at - time.perf_counter(), 0))
