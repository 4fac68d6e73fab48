"""Reads ahead of who works on what was read: the next piece is made in a thread while the last is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Piece(Generic[Item]):
    item: Item


@dataclass(frozen=True)
class _End:
    """`error` is None where the items simply ended."""

    error: BaseException | None


def ahead(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The same items in the same order; an error is raised where it would have been. One piece waits at most."""
    waiting: queue.Queue[_Piece[Item] | _End] = queue.Queue(1)
    stopped = threading.Event()
    thread = threading.Thread(target=_read, args=(items, waiting, stopped), name="read-ahead", daemon=True)
    thread.start()
    try:
        while isinstance(piece := waiting.get(), _Piece):
            yield piece.item
        if piece.error is not None:
            raise piece.error
    finally:
        stopped.set()
        thread.join()


def _read(items: Iterable[Item], waiting: queue.Queue[_Piece[Item] | _End], stopped: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if not _put(_Piece(item), waiting, stopped):
                return
    except BaseException as raised:  # handed over to who reads, whatever it is
        error = raised
    _put(_End(error), waiting, stopped)


def _put(piece: _Piece[Item] | _End, waiting: queue.Queue[_Piece[Item] | _End], stopped: threading.Event) -> bool:
    """False if nobody reads any more."""
    while not stopped.is_set():
        try:
            waiting.put(piece, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
