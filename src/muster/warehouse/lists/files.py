"""Lists on disk: one Parquet file a list and version, written whole before anything points to it.

A file never changes while a version points to it, but for erasures. Columns: `kind` (EntryKind), `entry` as it was
written, `identity`; rows in the order of entry.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from muster.kernel.errors import InternalError

SCHEMA = pa.schema([("kind", pa.uint8()), ("entry", pa.string()), ("identity", pa.string())])
_NAME = re.compile(r"(?P<list>[a-z0-9_]+)\.(?P<version>\d+)\.parquet")
BATCH_ROWS = 50_000


class ListFiles:
    """The files of one directory; any thread may use it. Version 0 is the empty list, which has no file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, identifier: str, version: int, batches: Iterable[pa.RecordBatch]) -> int:
        """Durable when it returns; answers the number of entries."""
        path = self.path(identifier, version)
        unfinished = path.with_suffix(".unfinished")
        try:
            count = _write(unfinished, batches)
            unfinished.replace(path)
        except BaseException:
            # The disk may be full: give back what was taken of it.
            unfinished.unlink(missing_ok=True)
            raise
        self._sync()
        return count

    def read(self, identifier: str, version: int) -> pa.RecordBatchReader:
        """The entries in order, batch by batch."""
        return pa.RecordBatchReader.from_batches(SCHEMA, self._batches(identifier, version))

    def _batches(self, identifier: str, version: int) -> Iterator[pa.RecordBatch]:
        if version == 0:
            return
        path = self.path(identifier, version)
        if not path.exists():
            raise InternalError(f"version {version} of the list of {identifier} is missing")
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                yield pa.RecordBatch.from_arrays([batch.column(name) for name in SCHEMA.names], schema=SCHEMA)

    def check(self, identifier: str, version: int) -> int:
        """Reads the whole file; answers the number of entries. Raises what is wrong with it."""
        return sum(batch.num_rows for batch in self._batches(identifier, version))

    def has(self, identifier: str, version: int) -> bool:
        return version == 0 or self.path(identifier, version).exists()

    def remove(self, identifier: str, version: int) -> None:
        self.path(identifier, version).unlink(missing_ok=True)

    def versions(self) -> Iterator[tuple[str, int]]:
        """Every file there is."""
        for path in sorted(self._directory.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is not None:
                yield match["list"], int(match["version"])

    def sweep(self, kept: Mapping[str, set[int]], younger_seconds: float = 0) -> int:
        """Removes what no version points to, and what was not finished. Answers how many.

        Files younger than `younger_seconds` stay: somebody may be about to point to them.
        """
        removed = 0
        latest = time.time() - younger_seconds
        for path in list(self._directory.iterdir()):
            match = _NAME.fullmatch(path.name)
            pointed_to = match is not None and int(match["version"]) in kept.get(match["list"], set())
            if not pointed_to and path.stat().st_mtime <= latest:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def path(self, identifier: str, version: int) -> Path:
        return self._directory / f"{identifier}.{version}.parquet"

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    count = 0
    with path.open("wb") as file:
        with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
                count += batch.num_rows
        file.flush()
        os.fsync(file.fileno())
    return count
