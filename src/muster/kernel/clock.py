"""Where the present comes from, so that tests and questions about other instants can bring their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def _machine_clock() -> datetime:
    return datetime.now(UTC)


_clocks: list[Clock] = [_machine_clock]


def system_clock() -> datetime:
    """Now, aware, in UTC."""
    return _clocks[-1]()


@contextmanager
def clock_of(clock: Clock) -> Iterator[None]:
    """This process goes by another clock within the block."""
    _clocks.append(clock)
    try:
        yield
    finally:
        _clocks.remove(clock)
