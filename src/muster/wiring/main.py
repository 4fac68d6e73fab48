"""Entry point of the command `muster`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django

from muster.cli.doors import Doors, Here
from muster.cli.main import muster
from muster.cli.output import shown_errors
from muster.wiring.configuration import Configuration, read_configuration


def main() -> None:
    with shown_errors():
        configuration = read_configuration()
    muster(obj=doors_of(configuration))


def doors_of(configuration: Configuration) -> Doors:
    """The doors of one installation; Django starts when the first of them is opened."""

    @contextmanager
    def open_here() -> Iterator[Here]:
        _start_django()
        from muster.wiring.installation import open_installation
        from muster.wiring.server import as_local

        with open_installation(configuration, takes_all_jobs=False) as installation:
            yield Here(as_local(installation.application), installation.jobs)

    def serve(say: Callable[[str], None]) -> None:
        _start_django()
        from muster.wiring import server

        server.serve(configuration, say)

    return Doors(configuration.socket, open_here, serve)


def _start_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muster.wiring.settings")
    django.setup()


if __name__ == "__main__":
    main()
