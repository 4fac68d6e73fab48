"""The file of a backup: a tar of the installation's files, compressed with Zstandard, between a manifest and hashes.

`manifest.json` comes first: what wrote it, when, and the size of every member. `hashes.json` comes last: the SHA-256 of
every member, known only once it was read. Reading trusts nothing: names, kinds, sizes and hashes are checked while a
member is written, and an archive that does not end with its hashes was never finished.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

import zstandard

from muster.wiring.operation.errors import BackupDamaged, BackupTooNew
from muster.wiring.operation.layout import CONTROL, is_part

FORMAT = 1
_MANIFEST, _HASHES = "manifest.json", "hashes.json"
_LEVEL = 3
_PORTION_BYTES = 1 << 20
# Of the manifest and of the hashes: some hundred bytes for each of a million files.
_MOST_LIST_BYTES = 1 << 28
# Headers and padding of tar, for each member.
_FRAME_BYTES = 4096
# What compression at level 3 uses is far below; more would only be a way to fill memory.
_MOST_WINDOW_BYTES = 1 << 27

Progress = Callable[[int], None]
"""Told how many bytes of members are done."""


@dataclass(frozen=True)
class Manifest:
    """`sizes`: bytes by name. `control_schema`: the newest migration by app. `missing`: files that it lacked."""

    muster: str
    created_at: datetime
    control_schema: dict[str, str]
    warehouse_schema: int
    sizes: dict[str, int]
    missing: list[str] = field(default_factory=list)
    format: int = FORMAT

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "created_at": self.created_at.isoformat()}


def write_archive(
    target: Path, manifest: Manifest, sources: Mapping[str, Path], progress: Progress = lambda _: None
) -> None:
    """Writes the archive whole and durably, readable by its owner only. `sources`: a file for each size's name."""
    hashes: dict[str, str] = {}
    done = 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        with (
            compressor.stream_writer(file, closefd=False) as compressed,
            tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            _add_json(tar, _MANIFEST, manifest.as_json())
            for name, size in manifest.sizes.items():
                with sources[name].open("rb") as source:
                    read: Any = _Hashing(source, _after(done, progress))
                    tar.addfile(_member(name, size), read)
                hashes[name] = read.digest
                done += size
            _add_json(tar, _HASHES, hashes)
        file.flush()
        os.fsync(file.fileno())


def extract_archive(path: Path, directory: Path | None, progress: Progress = lambda _: None) -> Manifest:
    """Verifies an archive and writes its members below a new directory; with None it only verifies.

    `backup_damaged` or `backup_too_new`; the directory is then whatever it was made so far.
    """
    try:
        with _opened(path) as (counted, tar):
            return _extract(counted, tar, directory, progress)
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupDamaged(f"{path} is no backup, or is damaged: {error}") from error


def read_manifest(path: Path) -> Manifest:
    """The manifest alone; what follows it is not looked at."""
    try:
        with _opened(path) as (_, tar):
            return _manifest(tar)
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupDamaged(f"{path} is no backup, or is damaged: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[_Counted, tarfile.TarFile]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupDamaged(f"{path} cannot be read ({error.strerror}).") from error
    with file:
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW_BYTES)
        with decompressor.stream_reader(file, closefd=False) as reader:
            counted: Any = _Counted(reader)
            with tarfile.open(fileobj=counted, mode="r|") as tar:
                yield counted, tar


def _extract(counted: _Counted, tar: tarfile.TarFile, directory: Path | None, progress: Progress) -> Manifest:
    manifest = _manifest(tar)
    _check(manifest)
    total = sum(manifest.sizes.values())
    counted.limit = 2 * _MOST_LIST_BYTES + total + _FRAME_BYTES * (len(manifest.sizes) + 4)
    found: dict[str, str] = {}
    done = 0
    while (member := tar.next()) is not None and member.name != _HASHES:
        name = member.name
        if name in found or not member.isreg() or manifest.sizes.get(name) != member.size:
            raise BackupDamaged(f"{name!r} stands in the archive, but not so in its manifest.")
        found[name] = _read_member(tar, member, directory, _after(done, progress))
        done += member.size
    if member is None:
        raise BackupDamaged("The archive ends before its hashes: it was never finished, or was cut short.")
    if _read_json(tar, member) != found or set(found) != set(manifest.sizes):
        raise BackupDamaged("The archive does not hold what its own hashes say.")
    # The checksum of the compression stands behind the last member.
    while counted.read(_PORTION_BYTES):
        pass
    return manifest


def _read_member(tar: tarfile.TarFile, member: tarfile.TarInfo, directory: Path | None, progress: Progress) -> str:
    content = tar.extractfile(member)
    assert content is not None
    reading = _Hashing(content, progress)
    if directory is None:
        while reading.read(_PORTION_BYTES):
            pass
        return reading.digest
    target = directory / member.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while portion := reading.read(_PORTION_BYTES):
            file.write(portion)
        file.flush()
        os.fsync(file.fileno())
    return reading.digest


def _manifest(tar: tarfile.TarFile) -> Manifest:
    member = tar.next()
    if member is None or member.name != _MANIFEST:
        raise BackupDamaged("The file does not begin with the manifest of a backup.")
    document = _read_json(tar, member)
    if document["format"] > FORMAT:
        newer = f"Muster {document['muster']} wrote this backup; restore it with that version or a newer one."
        raise BackupTooNew(newer)
    return Manifest(**{**document, "created_at": datetime.fromisoformat(document["created_at"])})


def _check(manifest: Manifest) -> None:
    for name, size in manifest.sizes.items():
        if not is_part(name) or not isinstance(size, int) or size < 0:
            raise BackupDamaged(f"{name!r} is no file of an installation.")
    if CONTROL not in manifest.sizes:
        raise BackupDamaged("The backup does not hold a control database.")


def _after(done: int, progress: Progress) -> Progress:
    return lambda count: progress(done + count)


def _add_json(tar: tarfile.TarFile, name: str, document: Any) -> None:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
    tar.addfile(_member(name, len(text)), io.BytesIO(text))


def _read_json(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    if member.size > _MOST_LIST_BYTES or not member.isreg():
        raise BackupDamaged(f"{member.name} is too large to be one of ours.")
    content = tar.extractfile(member)
    assert content is not None
    return json.loads(content.read())


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


class _Hashing:
    """Reads on from a file and hashes what passes. A file that has become shorter than announced fails in `tarfile`."""

    def __init__(self, source: BinaryIO | IO[bytes], progress: Progress) -> None:
        self._source, self._progress = source, progress
        self._hash = hashlib.sha256()
        self._count = 0

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        portion = self._source.read(size)
        self._hash.update(portion)
        self._count += len(portion)
        self._progress(self._count)
        return portion


class _Counted:
    """Reads on until a limit: a small archive must not become an endless stream."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._count = 0
        self.limit = 2 * _MOST_LIST_BYTES

    def read(self, size: int = -1) -> bytes:
        portion: bytes = self._source.read(size)
        self._count += len(portion)
        if self._count > self.limit:
            raise BackupDamaged("The archive is larger than its manifest says.")
        return portion
