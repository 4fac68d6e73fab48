"""The one open database of a warehouse: lends cursors, copies its files, and opens anew what a full disk has broken."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import duckdb

from muster.kernel.room import DiskFull
from muster.warehouse.duckdb.connection import FILE_NAME, Resources, connect

# Every query of a broken database fails at once, so its readers are soon gone.
_SECONDS_FOR_READERS = 30
_COPY_BYTES = 1 << 24
# What systems and file systems say that cannot copy inside the kernel.
_NOT_IN_KERNEL = frozenset({errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF})


class Instance:
    """Any thread may borrow cursors. Only the writer's thread calls `renew` and `copy_to`."""

    def __init__(self, directory: Path, resources: Resources) -> None:
        self._directory = directory
        self._resources = resources
        self._changed = threading.Condition()
        self._lent = 0
        self._renewing = False
        self._root: duckdb.DuckDBPyConnection | None = connect(directory, resources)
        # Closing a second handle of a file drops the locks its process holds on it (POSIX), and with them DuckDB's:
        # so there is one for all copies, and it is closed last.
        self._file = (directory / FILE_NAME).open("rb")

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Closed at the end of the block."""
        with self._changed:
            cursor = self._usable().cursor()
            self._lent += 1
        try:
            yield cursor
        finally:
            cursor.close()
            with self._changed:
                self._lent -= 1
                self._changed.notify_all()

    def lasting_cursor(self) -> duckdb.DuckDBPyConnection:
        """For the writer, who closes it before `renew` and `close`."""
        with self._changed:
            return self._usable().cursor()

    def renew(self) -> None:
        """Opens the file again. DuckDB refuses everything after a checkpoint that the disk had no room for."""
        with self._changed:
            self._renewing = True
            try:
                if not self._changed.wait_for(lambda: self._lent == 0, _SECONDS_FOR_READERS):
                    raise _waiting()
                if self._root is not None:
                    # DuckDB keeps one database a file: the broken one must be gone before another can be opened.
                    with suppress(duckdb.Error):
                        self._root.close()
                    self._root = None
                self._root = connect(self._directory, self._resources)
            finally:
                self._renewing = False

    def copy_to(self, directory: Path) -> None:
        """Copies the file, and the log if it could not be moved into the file; nothing may be written meanwhile."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy(self._file, directory / FILE_NAME)
        log = self._directory / f"{FILE_NAME}.wal"
        if log.exists():
            with log.open("rb") as file:
                _copy(file, directory / log.name)

    def close(self) -> None:
        with self._changed:
            if self._root is not None:
                self._root.close()
        self._file.close()

    def _usable(self) -> duckdb.DuckDBPyConnection:
        if self._renewing:
            raise _waiting()
        if self._root is None:
            self._root = connect(self._directory, self._resources)
        return self._root


def _waiting() -> DiskFull:
    return DiskFull("The disk was full; the warehouse is about to be opened again. Make room, and ask again.")


def _copy(source: BinaryIO, target: Path) -> None:
    """The whole file, durable when it returns. The source's position is nobody else's."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as copied:
        try:
            _copy_in_kernel(source.fileno(), descriptor)
        except OSError as error:
            if error.errno not in _NOT_IN_KERNEL:
                raise
            _copy_by_hand(source.fileno(), descriptor)
        os.fsync(copied.fileno())


def _copy_in_kernel(source: int, target: int) -> None:
    """Shares the blocks where the file system can."""
    if not hasattr(os, "copy_file_range"):
        raise OSError(errno.ENOSYS, "not on this system")
    place = 0
    while count := os.copy_file_range(source, target, _COPY_BYTES, place, place):
        place += count


def _copy_by_hand(source: int, target: int) -> None:
    place = 0
    while portion := os.pread(source, _COPY_BYTES, place):
        written = 0
        while written < len(portion):
            written += os.pwrite(target, portion[written:], place + written)
        place += len(portion)
