"""A thousand clients that sent half a body and wait: what others notice of them."""

from __future__ import annotations

import json
import resource
import socket
from contextlib import ExitStack
from pathlib import Path

from bench.edge.load import ask, request
from bench.edge.report import report
from bench.edge.servers import edge_process
from bench.edge.world import OPEN_KEY

_STALLED = 1_000
_REQUESTS = 10_000


def bench_stalled(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * _STALLED)), hard))
    body = json.dumps({"context": {"targetingKey": "u7"}}).encode()
    asked = [request("/ofrep/v1/evaluate/flags", body, f"X-API-Key: {OPEN_KEY}")] * _REQUESTS
    half = request("/v1/batch", b'{"batch":[', f"X-API-Key: {OPEN_KEY}").replace(
        b"Content-Length: 10", b"Content-Length: 5000"
    )
    with edge_process(folder) as edge, ExitStack() as stack:
        ask(edge.port, asked[:2_000], edge.pids)
        quiet = ask(edge.port, asked, edge.pids).slow
        for _ in range(_STALLED):
            stalled = stack.enter_context(socket.create_connection(("127.0.0.1", edge.port)))
            stalled.sendall(half)
        held = ask(edge.port, asked, edge.pids).slow
    report("stalled-1000", held / quiet, 1.5, f"p99 {held * 1e3:.2f} ms with them, {quiet * 1e3:.2f} ms without")
