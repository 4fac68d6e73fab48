"""Membership on disk: one roaring file a group and generation, written whole before anything points to it.

A file never changes, but for erasures. Whoever swaps the pointer in the control database does it after `write` has
returned; files that nothing points to are leftovers of a crash and are swept away at the next start.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pyroaring import BitMap

from muster.engine.bitset import Bitset
from muster.kernel.errors import InternalError

_NAME = re.compile(r"(?P<group>[a-z0-9_]+)\.(?P<generation>\d+)\.roaring")


class MembershipFiles:
    """The files of one directory; any thread may use it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, group: str, generation: int, members: Bitset | BitMap) -> None:
        """The file is durable when it returns; its name after `sync`."""
        path = self._path(group, generation)
        # A crash leaves a file without a pointer; the same generation is then simply written again.
        unfinished = path.with_suffix(".unfinished")
        try:
            with unfinished.open("wb") as file:
                file.write(_serialized(members))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError:
            # The disk may be full: give back what was taken of it.
            unfinished.unlink(missing_ok=True)
            raise

    def sync(self) -> None:
        """Makes the names durable; once after a batch of `write`, before the pointers are swapped."""
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, group: str, generation: int) -> BitMap:
        try:
            return BitMap.deserialize(self._path(group, generation).read_bytes())
        except FileNotFoundError as error:
            raise InternalError(f"generation {generation} of {group} is missing") from error

    def bytes_of(self, group: str, generation: int) -> int:
        """How large the file is; 0 if there is none."""
        try:
            return self._path(group, generation).stat().st_size
        except FileNotFoundError:
            return 0

    def has(self, group: str, generation: int) -> bool:
        return self._path(group, generation).exists()

    def generations(self) -> Iterator[tuple[str, int]]:
        """Every file there is."""
        for path in sorted(self._directory.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is not None:
                yield match["group"], int(match["generation"])

    def prune(self, group: str, generation: int) -> None:
        """Removes what is older than the generation before this one, which readers may still be going through."""
        for older in range(generation - 2, 0, -1):
            path = self._path(group, older)
            if not path.exists():
                return
            path.unlink()

    def sweep(self, current: Mapping[str, int]) -> int:
        """At the start: removes every file nothing points to. Answers how many. Never beside a writer."""
        removed = 0
        for path in self._directory.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is None or current.get(match["group"]) != int(match["generation"]):
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _path(self, group: str, generation: int) -> Path:
        return self._directory / f"{group}.{generation}.roaring"


def _serialized(members: Bitset | BitMap) -> bytes:
    return bytes(members.serialize()) if isinstance(members, BitMap) else members.to_roaring_bytes()
