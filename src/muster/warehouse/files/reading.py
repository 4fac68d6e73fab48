"""Rows of a file as Arrow tables of text: CSV, NDJSON or Parquet, in bounded memory.

Every record of the file becomes a row or a refusal; both carry the record's number, from 1, the header not counted.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from muster.kernel.worded import worded
from muster.warehouse.files.encoding import decoded, detect_delimiter, detect_encoding, open_bytes
from muster.warehouse.files.errors import EncodingUnreadable, FileUnreadable

# Arrow reads 32 blocks ahead, whoever waits for the first: 64 MiB. A record is as long as a block at most.
_BLOCK_BYTES = 2 << 20
# Blocks are put together to tables of this size: small ones cost more a row.
_TABLE_BYTES = 6 << 20
_ROWS = 50_000
_LONGEST_SHOWN = 500
NUMBER = "row_number"


@dataclass(frozen=True)
class Refused:
    """A record that is no row: too few or too many cells, not JSON.

    `groups`: what its cell of the column that groups rows may be, counted from the left and from the right.
    """

    row: int
    reason: str
    text: str
    groups: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True)
class Source:
    """How to read the file; None is found out."""

    encoding: str | None = None
    delimiter: str | None = None
    format: str | None = None


@dataclass
class FileRows:
    """One pass over a file: `columns` by name, `tables` yields `row_number` (uint32) and every column as text."""

    path: Path
    format: str
    columns: tuple[str, ...]
    encoding: str | None = None
    delimiter: str | None = None
    refused: list[Refused] = field(default_factory=list)

    def tables(self, grouping: str | None = None) -> Iterator[pa.Table]:
        """Each call reads the file again from its start; `refused` is complete when the iteration is.

        `grouping`: the column that says which records belong together.
        """
        self.refused = []
        if self.format == "parquet":
            yield from self._parquet()
        elif self.format == "ndjson":
            yield from self._ndjson()
        else:
            yield from self._csv(grouping)

    def _csv(self, grouping: str | None) -> Iterator[pa.Table]:
        if not self.columns:
            return
        delimiter = self.delimiter or ","
        refusals = _Refusals(delimiter, self.columns.index(grouping) if grouping else None, len(self.columns))
        read, last = 0, None
        try:
            with (
                _Ending(_recoded(self.path, self.encoding or "utf-8")) as file,
                _csv_reader(file, self.path, self.encoding or "utf-8", delimiter, refusals) as reader,
            ):
                for table in _gathered(reader):
                    last = table if table.num_rows else last
                    numbers = refusals.numbers_of(read, table.num_rows)
                    read += table.num_rows
                    named = table.rename_columns(list(self.columns))
                    yield named.add_column(0, NUMBER, pa.array(numbers, pa.uint32()))
        except pa.ArrowInvalid as error:
            if "UTF8" in str(error):
                raise EncodingUnreadable(
                    worded(
                        "After row {read:,} there is text that is not {encoding}. Name the encoding in the mapping.",
                        read=read,
                        encoding=self.encoding,
                    ),
                    details={"row": read},
                ) from error
            raise FileUnreadable(
                worded(
                    "The CSV cannot be read after row {read:,}: {error}. A quote that is never closed is the"
                    " usual cause.",
                    read=read,
                    error=error,
                ),
                details={"row": read},
            ) from error
        self.refused = refusals.found
        cell = "" if last is None else str(last.column(last.num_columns - 1)[-1])
        if refusals.last_is_open(file) or file.ends_inside(cell, delimiter):
            raise FileUnreadable("A quote is opened and never closed; what follows it cannot be told into rows.")

    def _ndjson(self) -> Iterator[pa.Table]:
        rows: list[tuple[int, dict[str, Any]]] = []
        for number, line in enumerate(_lines(self.path, self.encoding or "utf-8"), start=1):
            row = _json_row(line)
            if row is None:
                self.refused.append(Refused(number, "not_json", line[:_LONGEST_SHOWN]))
                continue
            rows.append((number, row))
            if len(rows) >= _ROWS:
                yield self._text_table(rows)
                rows = []
        if rows:
            yield self._text_table(rows)

    def _text_table(self, rows: list[tuple[int, dict[str, Any]]]) -> pa.Table:
        numbers = pa.array([number for number, _ in rows], pa.uint32())
        columns = [pa.array([row.get(name) for _, row in rows], pa.string()) for name in self.columns]
        return pa.Table.from_arrays([numbers, *columns], [NUMBER, *self.columns])

    def _parquet(self) -> Iterator[pa.Table]:
        read = 0
        try:
            for batch in pyarrow.parquet.ParquetFile(self.path).iter_batches(_ROWS):
                columns = [_as_text(column) for column in batch.columns]
                numbers = pa.array(range(read + 1, read + batch.num_rows + 1), pa.uint32())
                read += batch.num_rows
                yield pa.Table.from_arrays([numbers, *columns], [NUMBER, *self.columns])
        except (pa.ArrowException, OSError) as error:
            raise FileUnreadable(
                worded("The Parquet file cannot be read after row {read:,}: {error}", read=read, error=error),
                details={"row": read},
            ) from error


class _Refusals:
    """Called by the CSV reader for records of another width; keeps the numbering of the good ones right."""

    def __init__(self, delimiter: str, grouping: int | None, width: int) -> None:
        self.found: list[Refused] = []
        self._delimiter = delimiter
        self._grouping = grouping
        self._width = width
        self._rows: list[int] = []
        self._last = ""

    def __call__(self, invalid: pa.csv.InvalidRow) -> str:
        # Arrow counts records from 1 with the header as the first.
        row = invalid.number - 1
        reason = "too_few_cells" if invalid.actual_columns < invalid.expected_columns else "too_many_cells"
        self.found.append(Refused(row, reason, invalid.text[:_LONGEST_SHOWN], self._groups_of(invalid.text)))
        self._rows.append(row)
        self._last = invalid.text
        return "skip"

    def _groups_of(self, text: str) -> tuple[str | None, str | None]:
        if self._grouping is None:
            return None, None
        try:
            cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter), [])
        except csv.Error:  # a cell of more than 128 KiB
            return None, None
        known = dict(enumerate(cells))
        return known.get(self._grouping), known.get(len(cells) - self._width + self._grouping)

    def last_is_open(self, file: _Ending) -> bool:
        """Whether the last refused record is the file's last and has an odd quote."""
        return self._last.count('"') % 2 == 1 and file.ends_with(self._last)

    def numbers_of(self, before: int, count: int) -> list[int]:
        """The numbers of the next `count` good records, `before` good ones having been numbered already."""
        if not self._rows:
            return list(range(before + 1, before + count + 1))
        bad = sorted(self._rows)
        numbers: list[int] = []
        number = before + 1
        passed = 0
        while passed < len(bad) and bad[passed] <= number:
            number += 1
            passed += 1
        while len(numbers) < count:
            numbers.append(number)
            number += 1
            while passed < len(bad) and bad[passed] == number:
                number += 1
                passed += 1
        return numbers


def open_rows(path: Path, source: Source) -> FileRows:
    """Finds format, encoding and delimiter where the source does not say; reads no more than the head."""
    format = source.format or _format_of(path)
    if format == "parquet":
        try:
            names = tuple(pyarrow.parquet.ParquetFile(path).schema_arrow.names)
        except (pa.ArrowException, OSError) as error:
            raise FileUnreadable(worded("The Parquet file cannot be read: {error}", error=error)) from error
        return FileRows(path, format, names)
    encoding = source.encoding or detect_encoding(path)
    if format == "ndjson":
        return FileRows(path, format, _json_columns(path, encoding), encoding)
    delimiter = source.delimiter or detect_delimiter(path, encoding)
    return FileRows(path, "csv", _header(path, encoding, delimiter), encoding, delimiter)


def first_record(rows: FileRows) -> tuple[str, ...]:
    """The cells of a CSV's first record as they are written, which usually is its header."""
    return _header(rows.path, rows.encoding or "utf-8", rows.delimiter or ",", unique=False)


def file_digest(path: Path) -> str:
    """SHA-256 of the file as it lies there."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _format_of(path: Path) -> str:
    with open_bytes(path) as file:
        start = file.read(4_096)
    if start[:4] == b"PAR1":
        return "parquet"
    # A byte order mark and the zeros of wide letters stand around the first sign.
    plain = start.lstrip(codecs.BOM_UTF8 + codecs.BOM_UTF16_LE).replace(b"\0", b"").lstrip()
    return "ndjson" if plain[:1] == b"{" else "csv"


@contextmanager
def _csv_reader(file: Any, path: Path, encoding: str, delimiter: str, refusals: Any = None) -> Iterator[Any]:
    names = _header(path, encoding, delimiter, unique=False)
    with (
        pa.csv.open_csv(
            file,
            read_options=pa.csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False, encoding="utf8"),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=refusals,
                # In a file of one column a blank line is a row whose cell is empty, in others it is none.
                ignore_empty_lines=len(names) > 1,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        ) as reader,
    ):
        yield reader


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.nbytes for one in waiting) >= _TABLE_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _recoded(path: Path, encoding: str) -> Any:
    """The file as UTF-8; the fast path reads UTF-8 as it lies there."""
    if encoding in ("utf-8", "utf-8-sig"):
        return open_bytes(path)
    return _Utf8(decoded(path, encoding))


class _Ending(io.RawIOBase):
    """Passes a file on and remembers how it ended: Arrow closes an open quote at the end without a word."""

    _KEPT = 16_384

    def __init__(self, file: Any) -> None:
        self._file = file
        self._end = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = int(self._file.readinto(buffer))
        self._end = (self._end + bytes(memoryview(buffer)[max(0, count - self._KEPT) : count]))[-self._KEPT :]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()

    def ends_with(self, text: str) -> bool:
        end = text.encode("utf-8", "surrogatepass")
        return bool(end) and self._end.rstrip(b"\r\n").endswith(end.rstrip(b"\r\n")[-self._KEPT :])

    def ends_inside(self, cell: str, delimiter: str) -> bool:
        """Whether the file ends with the last cell behind its opening quote."""
        quoted = ('"' + cell.replace('"', '""')).encode("utf-8", "surrogatepass")
        if len(quoted) >= self._KEPT:
            return self._end.endswith(quoted[-self._KEPT :])
        return self._end.endswith(tuple(before + quoted for before in (delimiter.encode(), b"\n", b"\r")))


class _Utf8(io.RawIOBase):
    """A readable file of UTF-8 bytes out of chunks of text."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            text = next(self._chunks, None)
            if text is None:
                return 0
            self._rest = text.encode("utf-8", "surrogatepass")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _header(path: Path, encoding: str, delimiter: str, *, unique: bool = True) -> tuple[str, ...]:
    """The names of the first record; empty ones are numbered, repeated ones are told apart."""
    text = ""
    for chunk in decoded(path, encoding):
        text += chunk
        if "\n" in text or "\r" in text or len(text) > _BLOCK_BYTES:
            break
    text = text.removeprefix("\ufeff")
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    if not unique:
        return tuple(first)
    seen: dict[str, int] = {}
    names = []
    for position, name in enumerate(first, start=1):
        plain = name.strip() or f"column {position}"
        seen[plain] = seen.get(plain, 0) + 1
        names.append(plain if seen[plain] == 1 else f"{plain} ({seen[plain]})")
    return tuple(names)


def _lines(path: Path, encoding: str) -> Iterator[str]:
    rest = ""
    for text in decoded(path, encoding):
        *lines, rest = (rest + text.removeprefix("\ufeff")).split("\n")
        yield from (line for line in lines if line.strip())
    if rest.strip():
        yield rest


def _json_row(line: str) -> dict[str, Any] | None:
    """One object, nested ones by dotted path, every value as text; None if it is no object."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return dict(_flat(value, "")) if isinstance(value, dict) else None


def _flat(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, str | None]]:
    for key, one in value.items():
        if isinstance(one, dict):
            yield from _flat(one, f"{prefix}{key}.")
        elif one is None or isinstance(one, str):
            yield prefix + key, one
        else:
            yield prefix + key, orjson.dumps(one).decode()


def _json_columns(path: Path, encoding: str) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for number, line in enumerate(_lines(path, encoding)):
        names.update(dict.fromkeys(_json_row(line) or {}))
        if number >= 1_000:
            break
    return tuple(names)


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_timestamp(column.type):
        return (
            pc.strftime(column, "%Y-%m-%dT%H:%M:%S")
            if column.type.tz is None
            else pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ")
        )
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        values = column.to_pylist()
        return pa.array(
            [None if one is None else orjson.dumps(one, default=str).decode() for one in values], pa.string()
        )
    return column.cast(pa.string())
