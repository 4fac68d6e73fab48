"""What the command line is given by `wiring`: where the installation is and how to own it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class Jobs(Protocol):
    def take(self, job_id: str) -> None: ...
    def drain(self) -> None: ...


@dataclass(frozen=True)
class Here:
    """The application inside this process, as whoever may read the installation's files sees it."""

    application: Callable[[dict[str, Any], Callable[..., Any]], Any]
    jobs: Jobs


@dataclass(frozen=True)
class Doors:
    """`socket`: where a running server answers. `open_here` owns the installation, or `installation_in_use`.

    `serve_edge`: host, port and number of processes, None as configured.
    `restore`: puts a backup in the installation's place (file, whether it may replace one, bytes done and in all).
    `examine`: looks at an installation that no server has open.
    """

    socket: Path
    open_here: Callable[[], AbstractContextManager[Here]]
    serve: Callable[[Callable[[str], None]], None]
    serve_edge: Callable[[Callable[[str], None], str | None, int | None, int | None], None]
    restore: Callable[[Path, bool, Callable[[int, int], None]], dict[str, Any]]
    examine: Callable[[], dict[str, Any]]
