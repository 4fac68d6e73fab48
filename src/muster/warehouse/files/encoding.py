"""Which encoding and delimiter a text file has, found from its bytes, never guessed from its first line alone."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from muster.kernel.worded import worded
from muster.warehouse.files.errors import EncodingUnreadable, FileUnreadable

_CHUNK = 1 << 20
_SAMPLE_CHARACTERS = 64_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DELIMITERS = (",", ";", "\t", "|")


def open_bytes(path: Path) -> BinaryIO:
    """The file's content; gzip and zstd are unpacked on the way."""
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Unpacked(gzip.open(path)))
    raw = path.open("rb")
    if start == b"\x28\xb5\x2f\xfd":
        # Closing the reader closes the file below it.
        return io.BufferedReader(_Unpacked(zstandard.ZstdDecompressor().stream_reader(raw, closefd=True)))
    return raw


class _Unpacked(io.RawIOBase):
    """What a packed file holds; `file_unreadable` where it is damaged or cut off."""

    def __init__(self, packed: Any) -> None:
        self._packed = packed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._packed.readinto(buffer))
        except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
            raise FileUnreadable(worded("The packed file is damaged or cut off: {error}", error=error)) from error

    def close(self) -> None:
        self._packed.close()
        super().close()


def detect_encoding(path: Path) -> str:
    """utf-8-sig, utf-16 (with byte order mark), utf-16-le or -be (zeros every second byte), utf-8, else cp1252."""
    with open_bytes(path) as file:
        start = file.read(_CHUNK)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return name
        if wide := _wide(start):
            return wide
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(start)
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark: in Western text nearly every second byte is zero."""
    sample = start[:4_096]
    if len(sample) < 4:
        return None
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.6 and odd < half * 0.1 else None


def decoded(path: Path, encoding: str) -> Iterator[str]:
    """The text chunk by chunk; `encoding_unreadable` names the byte that is not in the encoding."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        # Python's codecs are not all of text: `hex`, `zip`, ...
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise EncodingUnreadable(
            worded("There is no encoding {encoding}; utf-8, utf-16 and cp1252 are usual.", encoding=repr(encoding))
        ) from error
    position = 0
    with open_bytes(path) as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                yield decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                place = position + error.start
                raise EncodingUnreadable(
                    worded(
                        "Byte {place:,} of the file is not {encoding}: {reason}. Name the encoding in the mapping.",
                        place=place,
                        encoding=encoding,
                        reason=error.reason,
                    ),
                    details={"byte": place},
                ) from error
            if not chunk:
                return
            position += len(chunk)


def detect_delimiter(path: Path, encoding: str) -> str:
    """The delimiter whose count is steadiest over the first records; a comma where there is none at all."""
    sample = ""
    for text in decoded(path, encoding):
        sample += text
        if len(sample) >= _SAMPLE_CHARACTERS:
            break
    return max(DELIMITERS, key=lambda delimiter: _steadiness(sample[:_SAMPLE_CHARACTERS], delimiter))


def _steadiness(sample: str, delimiter: str) -> tuple[float, int]:
    lines = sample.splitlines(keepends=True)
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    width, count = Counter(widths).most_common(1)[0]
    return (count / len(widths) if width > 1 else 0.0), width
