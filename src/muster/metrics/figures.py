"""Figures for whoever operates it: counted by each process in files of its own, told all together (E-42).

The files are `prometheus_client`'s, which reads where they lie from its environment when it is first loaded: `keep_in`
comes before that. Names are as Prometheus asks: with their units, `_total` for what only grows.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


def keep_in(directory: Path, *, anew: bool) -> None:
    """Where this process and those it begins keep theirs; `anew`: nobody else keeps any there now."""
    if anew:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ[_VARIABLE] = str(directory)


@cache
def counter(name: str, meaning: str, labels: tuple[str, ...] = ()) -> Any:
    return _library().Counter(name, meaning, labels)


@cache
def durations(name: str, meaning: str) -> Any:
    """A histogram of seconds."""
    return _library().Histogram(name, meaning, buckets=_BUCKETS)


@contextmanager
def told_at(host: str, port: int) -> Iterator[int]:
    """Answers Prometheus while the block runs; the port, for whoever asked for any free one. OSError if it is taken."""
    library = _library()
    registry = library.CollectorRegistry()
    importlib.import_module("prometheus_client.multiprocess").MultiProcessCollector(registry)
    server, thread = library.start_http_server(port, host, registry)
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _library() -> Any:
    """Not before `keep_in` has said where."""
    return importlib.import_module("prometheus_client")
