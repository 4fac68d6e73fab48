"""What one edge process is told when it starts; its parent writes it, the process reads it."""

from __future__ import annotations

from pathlib import Path

import msgspec


class EdgeSettings(msgspec.Struct, frozen=True):
    """`listener`: the file descriptor of a socket that listens. Limits of 0 are off; they are those of all processes
    together, of which this is one of `processes`."""

    spool: str
    online: str
    poke: str
    listener: int
    processes: int = 1
    requests_a_second: float = 10_000
    requests_a_second_and_address: float = 200
    burst_of_address: float = 1_000
    largest_spool_bytes: int = 10 * 1024**3
    least_free_bytes: int = 1024**3
    trusted_proxies: tuple[str, ...] = ()
    seconds_before_end: float = 0
    """Between being asked to end, from when on it is not ready, and refusing connections (E-43)."""
    figures: str = ""
    """Where what is counted is kept; empty: nowhere."""

    @property
    def spool_directory(self) -> Path:
        return Path(self.spool)

    @property
    def online_directory(self) -> Path:
        return Path(self.online)
