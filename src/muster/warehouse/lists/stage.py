"""An import of members before it is applied: every row read, judged and kept in a DuckDB file of its own.

Every row of the file has exactly one verdict (G-25):

new               will be added, and names a customer
pending           will be added, and names nobody yet
suppressed        will be added; no message will reach it (C-14)
already_member    is on the list already
duplicate_in_file names whom an earlier row names
removed, not_a_member   of an import that removes
invalid           names nobody ever; with the reason
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from muster.kernel.ahead import ahead
from muster.warehouse.duckdb.scratch import count_of, registered
from muster.warehouse.files.reading import NUMBER, FileRows, first_record
from muster.warehouse.files.stage import Judged
from muster.warehouse.lists.entries import EntryKind, named, read_cell
from muster.warehouse.lists.files import BATCH_ROWS, SCHEMA

_MEMORY = "192MiB"
_PIECE = 500_000
Progress = Callable[[int], None]

MODES = ("add", "replace", "remove")
VERDICTS = (
    "new",
    "pending",
    "suppressed",
    "already_member",
    "duplicate_in_file",
    "removed",
    "not_a_member",
    "invalid",
)


class Matching(Protocol):
    """What a dry run asks the warehouse: which of these entries name somebody."""

    def matching_entries(self, entries: pa.RecordBatchReader, *, customers: bool) -> Iterator[pa.RecordBatch]: ...


class MembersStage:
    """Opens (or creates) the stage in `directory`; not shared between threads. `mode` is one of MODES.

    `memory` as DuckDB writes sizes; `piece`: how many entries are sorted at once.
    """

    def __init__(self, directory: Path, mode: str, *, memory: str = _MEMORY, piece: int = _PIECE) -> None:
        self._mode = mode
        self._piece = piece
        self._connection = duckdb.connect(str(directory / "stage.duckdb"))
        self._connection.execute(f"SET memory_limit = '{memory}'")
        self._connection.execute(f"SET temp_directory = '{directory / 'spill'}'")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> MembersStage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fill(
        self,
        rows: FileRows,
        column: str,
        expected: EntryKind,
        current: pa.RecordBatchReader,
        suppressed: pa.Table,
        known: Matching,
        progress: Progress,
    ) -> dict[str, int]:
        """The dry run. `current`: the list as it is; `suppressed`: (kind, identity). Answers rows by verdict."""
        self._connection.execute(_CREATE)
        self._read(rows, column, expected, progress)
        # Batch by batch: a list may be larger than memory.
        self._connection.register("list_now", current)
        self._connection.execute(_CURRENT)
        self._connection.unregister("list_now")
        with registered(self._connection, "list_suppressed", suppressed):
            self._connection.execute(_SUPPRESSED)
        self._match(known)
        self._connection.execute(_LEAVING[self._mode])
        self._connection.execute(_STANDING)
        self._connection.execute(_JUDGE_REMOVAL if self._mode == "remove" else _JUDGE)
        return self.counts()

    def _read(self, rows: FileRows, column: str, expected: EntryKind, progress: Progress) -> None:
        """A file without a header begins with an entry: its first record is row 1 then."""
        head = _entry_of_header(rows, column, expected)
        offset = 0 if head is None else 1
        if head is not None:
            self._take(pa.table({"row_number": pa.array([1], pa.uint32()), "cell": [head]}), expected)
        read = offset
        for table in ahead(rows.tables()):
            cells = pa.table({"row_number": table.column(NUMBER), "cell": table.column(column)})
            read += table.num_rows
            self._take(_shifted(cells, offset), expected)
            progress(read)
        self._refuse(rows, offset)

    def _take(self, cells: pa.Table, expected: EntryKind) -> None:
        with registered(self._connection, "cells", cells):
            self._connection.execute(_TRIMMED, {"plain": expected is EntryKind.EMAIL})
        odd = self._connection.execute("SELECT DISTINCT cell FROM trimmed WHERE identity IS NULL").fetchall()
        entries = [(cell, read_cell(cell or "")) for (cell,) in odd]
        found = [named(entry, expected) for _, entry in entries]
        judged = pa.table(
            {
                "cell": pa.array([cell for cell, _ in entries], pa.string()),
                "entry": pa.array([entry for _, entry in entries], pa.string()),
                "kind": pa.array([one.kind for one in found], pa.uint8()),
                "identity": pa.array([one.identity for one in found], pa.string()),
                "reason": pa.array([one.reason for one in found], pa.string()),
            }
        )
        with registered(self._connection, "odd_cells", judged):
            self._connection.execute(_TAKE)

    def _refuse(self, rows: FileRows, offset: int) -> None:
        """Records that are no rows are judged like rows that name nobody."""
        table = pa.table(
            {
                "row_number": pa.array([one.row + offset for one in rows.refused], pa.uint32()),
                "entry": pa.array([one.text for one in rows.refused], pa.string()),
                "reason": pa.array([one.reason for one in rows.refused], pa.string()),
            }
        )
        with registered(self._connection, "refused_rows", table):
            self._connection.execute("INSERT INTO parsed BY NAME SELECT *, 0 AS kind FROM refused_rows")

    def _match(self, known: Matching) -> None:
        customers = bool(count_of(self._connection, "SELECT count(*) FROM first_rows WHERE kind = 2"))
        asked = self._connection.cursor().sql("SELECT kind, identity FROM first_rows").to_arrow_reader(100_000)
        for batch in known.matching_entries(asked, customers=customers):
            with registered(self._connection, "known_batch", pa.Table.from_batches([batch])):
                self._connection.execute("INSERT INTO known SELECT kind, identity FROM known_batch")

    def counts(self) -> dict[str, int]:
        found = self._connection.execute("SELECT verdict, count(*) FROM verdicts GROUP BY 1").fetchall()
        return {str(verdict): int(count) for verdict, count in found}

    def leaving(self) -> int:
        """How many entries of the list the import takes off it."""
        return count_of(self._connection, "SELECT count(*) FROM leaving")

    def rows(self, verdict: str | None, after: int, limit: int) -> list[Judged]:
        """Verdicts in order of rows, for pages and downloads."""
        where = "row_number > ?" + (" AND verdict = ?" if verdict else "")
        found = self._connection.execute(
            f"SELECT row_number, verdict, NULL, reason, entry FROM verdicts WHERE {where}"
            f" ORDER BY row_number LIMIT {int(limit)}",
            [after, *([verdict] if verdict else [])],
        ).fetchall()
        return [Judged(*row) for row in found]

    def result(self) -> Iterator[pa.RecordBatch]:
        """The entries of the list as it will be, in order: what stays, then what is new in the order of the file."""
        if self._mode != "replace":
            yield from self._in_order(_STAYING, "SELECT max(position) FROM current")
        if self._mode != "remove":
            yield from self._in_order(_COMING[self._mode], "SELECT max(row_number) FROM verdicts")

    def _in_order(self, entries: str, last: str) -> Iterator[pa.RecordBatch]:
        """Piece by piece: a list may be too large to be sorted as a whole."""
        connection = self._connection.cursor()
        for start in range(0, count_of(connection, last) + 1, self._piece):
            piece = connection.sql(
                f"SELECT kind, entry, identity FROM ({entries})"
                f" WHERE place >= {start} AND place < {start + self._piece} ORDER BY place"
            )
            for batch in piece.to_arrow_reader(BATCH_ROWS):
                yield pa.RecordBatch.from_arrays([batch.column(name) for name in SCHEMA.names], schema=SCHEMA)


def _entry_of_header(rows: FileRows, column: str, expected: EntryKind) -> str | None:
    """The header's own cell in the column, if it names somebody as the rows do."""
    if rows.format != "csv":
        return None
    cell = first_record(rows)[rows.columns.index(column)]
    entry = read_cell(cell)
    # A title such as `user_id` could be an external id: only what cannot be a title makes the first record a row.
    sure = entry.startswith(("cus_", "external:")) or (expected is EntryKind.EMAIL and "@" in entry)
    return cell if sure and named(entry, expected).identity is not None else None


def _shifted(cells: pa.Table, offset: int) -> pa.Table:
    if not offset:
        return cells
    numbers = pa.compute.add(cells.column("row_number"), pa.scalar(offset, pa.uint32()))
    return cells.set_column(0, "row_number", numbers)


_CREATE = """
CREATE OR REPLACE TABLE parsed (row_number UINTEGER, entry VARCHAR, kind UTINYINT, identity VARCHAR, reason VARCHAR);
CREATE OR REPLACE TABLE current (position UBIGINT, kind UTINYINT, entry VARCHAR, identity VARCHAR);
CREATE OR REPLACE TABLE known (kind UTINYINT, identity VARCHAR);
"""

# Nearly all cells are plain addresses in printable ASCII: their normal form is the lower case (see normal_email). The
# others are judged one by one.
_TRIMMED = r"""
CREATE OR REPLACE TEMP TABLE trimmed AS
SELECT row_number, cell, CASE WHEN $plain AND length(cell) <= 254
    AND regexp_full_match(cell, '[!-?A-~]+@([!--/-?A-~]+\.)*[!--/-?A-~]+') AND NOT starts_with(cell, '''')
    AND NOT starts_with(cell, '@') AND NOT starts_with(cell, 'cus_') AND NOT starts_with(cell, 'external:')
    THEN lower(cell) END AS identity
FROM cells;
"""

_TAKE = """
INSERT INTO parsed
SELECT row_number, cell, 0, identity, NULL FROM trimmed WHERE identity IS NOT NULL
UNION ALL
SELECT t.row_number, o.entry, o.kind, o.identity, o.reason FROM trimmed t JOIN odd_cells o
    ON o.cell IS NOT DISTINCT FROM t.cell WHERE t.identity IS NULL;
"""

_CURRENT = "INSERT INTO current SELECT row_number() OVER () AS position, kind, entry, identity FROM list_now"

_SUPPRESSED = """
CREATE OR REPLACE TABLE suppressed AS SELECT * FROM list_suppressed;
CREATE OR REPLACE TABLE first_rows AS
SELECT kind, identity, min(row_number) AS row_number FROM parsed WHERE identity IS NOT NULL GROUP BY kind, identity;
"""

# What an import takes off the list; it is applied to the places, so that no text is compared again.
_LEAVING = {
    "add": "CREATE OR REPLACE TABLE leaving (position UBIGINT)",
    "replace": """CREATE OR REPLACE TABLE leaving AS
        SELECT position FROM current ANTI JOIN first_rows USING (kind, identity)""",
    "remove": """CREATE OR REPLACE TABLE leaving AS
        SELECT position FROM current SEMI JOIN first_rows USING (kind, identity)""",
}

# One join by text at a time: together they would not fit into memory. Marks are bits.
_STANDING = """
CREATE OR REPLACE TABLE marks AS SELECT row_number, 0 AS mark FROM first_rows;
INSERT INTO marks SELECT row_number, 1 FROM first_rows SEMI JOIN current USING (kind, identity);
INSERT INTO marks SELECT row_number, 2 FROM first_rows SEMI JOIN suppressed USING (kind, identity);
INSERT INTO marks SELECT row_number, 4 FROM first_rows SEMI JOIN known USING (kind, identity);
CREATE OR REPLACE TABLE standing AS SELECT row_number, bit_or(mark) AS marks FROM marks GROUP BY row_number;
DROP TABLE marks;
"""

_ROWS = """
CREATE OR REPLACE TABLE verdicts AS
SELECT p.row_number, p.kind, p.entry, p.identity, p.reason, CASE
    WHEN p.identity IS NULL THEN 'invalid'
    WHEN s.row_number IS NULL THEN 'duplicate_in_file'
    {verdict} END AS verdict
FROM parsed p LEFT JOIN standing s USING (row_number);
"""
_JUDGE = _ROWS.format(
    verdict="WHEN marks & 1 THEN 'already_member' WHEN marks & 2 THEN 'suppressed' WHEN marks & 4 THEN 'new'"
    " ELSE 'pending'"
)
_JUDGE_REMOVAL = _ROWS.format(verdict="WHEN marks & 1 THEN 'removed' ELSE 'not_a_member'")

_STAYING = "SELECT position AS place, kind, entry, identity FROM current ANTI JOIN leaving USING (position)"

# First rows, as they are written there. Whoever is on the list already stays in place, unless the list is replaced.
_NAMED = "SELECT row_number AS place, kind, entry, identity FROM verdicts WHERE verdict IN"
_COMING = {
    "add": f"{_NAMED} ('new', 'pending', 'suppressed')",
    "replace": f"{_NAMED} ('new', 'pending', 'suppressed', 'already_member')",
}
