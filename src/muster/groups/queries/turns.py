"""A page asks again before it is answered: its latest question is the one to answer (G-14)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from muster.warehouse.port import Reader


class Turn:
    """One question of an editor. `overtaken`: a later one was asked, and nobody waits for this answer any more."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.overtaken = False
        self._lock = threading.Lock()
        self._reader: Reader | None = None

    @contextmanager
    def reads(self, reader: Reader) -> Iterator[None]:
        """What is asked of the reader ends with `query_interrupted` once the turn is overtaken, also before it."""
        with self._lock:
            self._reader = reader
            if self.overtaken:
                reader.interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._reader = None

    def overtake(self) -> None:
        with self._lock:
            self.overtaken = True
            if self._reader is not None:
                self._reader.interrupt()


class Turns:
    """The questions of each editor that are not answered yet.

    Those of one page come by several connections and overtake each other on their way, so that it counts them itself:
    the highest number is the latest, of equal ones the one that came last.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, list[Turn]] = {}

    @contextmanager
    def turn(self, editor: str | None, number: int = 0) -> Iterator[Turn]:
        """`editor`: one open page; without one nobody overtakes."""
        turn = Turn(number)
        if not editor:
            yield turn
            return
        with self._lock:
            others = self._open.setdefault(editor, [])
            for other in others:
                (other if other.number <= number else turn).overtake()
            others.append(turn)
        try:
            yield turn
        finally:
            with self._lock:
                others.remove(turn)
                if not others:
                    del self._open[editor]


TURNS = Turns()
