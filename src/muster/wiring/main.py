"""Entry point of the command `muster`."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

from muster.cli.doors import Doors, Here
from muster.cli.main import muster
from muster.cli.output import shown_errors
from muster.wiring.configuration import Configuration, read_configuration
from muster.wiring.ownership import owned

# Files are only renamed, but the disk may be slow.
_SWITCH_PATIENCE_SECONDS = 60


def main() -> None:
    """The command, and out at once: what it opened is closed, and taking apart what it loaded takes half a second."""
    try:
        with shown_errors():
            configuration = read_configuration()
        muster(obj=doors_of(configuration))
    except SystemExit as ended:
        if isinstance(ended.code, str):
            raise
        with suppress(BrokenPipeError):
            sys.stdout.flush()
        os._exit(ended.code or 0)


def doors_of(configuration: Configuration) -> Doors:
    """The doors of one installation; Django starts when the first of them is opened."""

    @contextmanager
    def open_here() -> Iterator[Here]:
        _start_django(configuration)
        from muster.wiring.installation import open_installation
        from muster.wiring.server import as_local

        with open_installation(configuration, takes_all_jobs=False) as installation:
            yield Here(as_local(installation.application), installation.jobs)

    def serve(say: Callable[[str], None]) -> None:
        _start_django(configuration)
        from muster.wiring import server

        server.serve(configuration, say)

    def serve_edge(say: Callable[[str], None], host: str | None, port: int | None, processes: int | None) -> None:
        from muster.wiring.edge import serve_edge

        wanted = replace(
            configuration,
            edge_host=host or configuration.edge_host,
            edge_port=configuration.edge_port if port is None else port,
            # It is asked for, whatever `muster serve` starts beside itself.
            edge_processes=processes or configuration.edge_processes or 1,
        )
        serve_edge(wanted, say)

    def restore(file: Path, replace: bool, progress: Callable[[int, int], None]) -> dict[str, Any]:
        from muster.warehouse.duckdb.migrations import SCHEMA_VERSION
        from muster.wiring.operation.restore import restore

        restored = restore(configuration, file, replace=replace, warehouse_schema=SCHEMA_VERSION, progress=progress)
        # It settles as it is opened.
        with open_here():
            return restored.as_json(configuration.home)

    def examine() -> dict[str, Any]:
        """Changes nothing and opens nothing for long: the installation may be what cannot be opened."""
        from muster.wiring.operation.check import check_home, examined

        first = list(check_home(configuration.home))
        if any(check.state == "failed" for check in first):
            return examined(first)
        _start_django(configuration)
        from muster.wiring.operation.checks import examine

        return examined(examine(configuration, inside=False))

    return Doors(configuration.socket, open_here, serve, serve_edge, restore, examine)


def _start_django(configuration: Configuration) -> None:
    """Its settings read the secret key, so files that are being switched are switched first."""
    from muster.wiring.operation.restore import finish_switch, is_switching

    if is_switching(configuration.home):
        with owned(configuration.lock, _SWITCH_PATIENCE_SECONDS):
            finish_switch(configuration.home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muster.wiring.settings")
    with _no_garbage():
        django.setup()
        # Else the first request would load them.
        importlib.import_module("muster.wiring.urls")


@contextmanager
def _no_garbage() -> Iterator[None]:
    """What is loaded meanwhile stays to the end: looking for garbage among it took a third of each command."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        # DuckDB complains of what is not taken apart at the end.
        atexit.register(gc.unfreeze)


if __name__ == "__main__":
    main()
