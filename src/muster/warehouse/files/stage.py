"""An import before it is applied: every row read, judged and kept in a small DuckDB file of its own.

The dry run fills it, the application reads batches from it; both can be repeated after a crash. Memory stays bounded
whatever the file: DuckDB spills what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muster.kernel.clock import system_clock
from muster.kernel.text import key_of
from muster.warehouse.batch import Rate
from muster.warehouse.duckdb.scratch import count_of, registered
from muster.warehouse.files import staging
from muster.warehouse.files.columns import COLUMNS, select_parsed
from muster.warehouse.files.feed import execute_over
from muster.warehouse.files.mapping import ImportMapping
from muster.warehouse.files.rates import rate_of
from muster.warehouse.files.reading import NUMBER, FileRows

# Of the engine; the others while rows are only read again and the warehouse works beside it.
_MEMORY_MIB, _READING_MEMORY, _READING_LINES_MEMORY = 96, "32MiB", "64MiB"
# Beyond these every column of the mapping wants its own (measured at 50, 100, 200 and 500 columns, all of them text).
_NARROW_COLUMNS, _COLUMN_MIB = 30, 3
_LOOKUP_ROWS = 200_000
_SAYING_WHO = ("external_id", "anonymous_id", "email", "happened_at")
Progress = Callable[[int], None]
VERDICTS = ("new", "updated", "unchanged", "duplicate_in_file", "already_stored", "erased", "invalid")


class Known(Protocol):
    """What a dry run asks the warehouse: which of these are there already."""

    def highest_key(self) -> int: ...
    def known_hashes(self, hashes: pa.Array) -> pa.Array: ...
    def known_orders(self, app_key: int, order_ids: pa.Array) -> pa.Array: ...
    def known_external_ids(self, ids: pa.Array) -> pa.Array: ...
    def known_rates(self, rows: pa.Table) -> list[Fraction | None]: ...
    def unchanged_rows(self, kind: str, app_key: int, rows: pa.Table, lines: pa.Table | None) -> pa.Array: ...
    def remembers_erasures(self) -> bool: ...
    def erased_rows(self, app_key: int, rows: pa.Table, said_at: datetime) -> pa.Array: ...


NameJudge = Callable[[Sequence[str]], Mapping[str, str]]
"""From names of events, in order of the file, to the reason for each that is not taken."""


def nameless(names: Sequence[str]) -> dict[str, str]:
    """Names without a letter and a digit have no key (C-1)."""
    return {name: "not_a_name" for name in names if not key_of(name)}


@dataclass(frozen=True)
class Judged:
    """One row's verdict; `column`, `reason` and `value` of an invalid one."""

    row: int
    verdict: str
    column: str | None
    reason: str | None
    value: str | None


class Stage:
    """Opens (or creates) the stage in `directory`; not shared between threads.

    Positions are row numbers of the file: an item stands at its row, an order of many lines at its first.
    """

    def __init__(self, directory: Path, mapping: ImportMapping) -> None:
        self._mapping = mapping
        self._connection = duckdb.connect(str(directory / "stage.duckdb"))
        wide = max(sum(1 for _ in mapping.all_fields()) - _NARROW_COLUMNS, 0)
        self._connection.execute(f"SET memory_limit = '{_MEMORY_MIB + _COLUMN_MIB * wide}MiB'")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET preserve_insertion_order = false")
        # Hashes are numbers of 128 bits here.
        self._connection.execute("SET arrow_lossless_conversion = true")
        self._connection.execute(f"SET temp_directory = '{directory / 'spill'}'")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fill(
        self,
        rows: FileRows,
        digest: str,
        known: Known,
        app_key: int,
        progress: Progress,
        judge_names: NameJudge = nameless,
        said_at: datetime | None = None,
    ) -> dict[str, int]:
        """The dry run: reads the whole file and judges every row. Answers rows by verdict; they sum up to all rows.

        `judge_names`: says which names of events are not taken. `said_at`: when rows without a time were said, for
        whom has been erased since (C-47).
        """
        for statement in staging.create(self._mapping):
            self._connection.execute(statement)
        self._parse(rows, progress)
        self._refuse(rows)
        if self._mapping.kind == "events":
            self._refuse_names(judge_names)
        end = count_of(self._connection, "SELECT coalesce(max(row_number) + 1, 0) FROM parsed")
        for statement in staging.finish(self._mapping, digest, end):
            self._connection.execute(statement)
        # Nobody is known of an empty warehouse; rates are known without customers.
        nothing = not known.highest_key() and self._mapping.kind != "rates"
        for start in range(0, 0 if nothing else self.end(), _LOOKUP_ROWS):
            if self._mapping.kind != "rates" and known.remembers_erasures():
                self._leave_erased(start, known, app_key, said_at or system_clock())
            self._look_up(start, known, app_key)
        pa.default_memory_pool().release_unused()
        return self.counts()

    def counts(self) -> dict[str, int]:
        found = self._connection.execute("SELECT verdict, count(*) FROM verdicts GROUP BY 1").fetchall()
        return {str(verdict): int(count) for verdict, count in found}

    def rows(self, verdict: str | None, after: int, limit: int) -> list[Judged]:
        """Verdicts in order of rows, for pages and downloads."""
        where = "row_number > ?" + (" AND verdict = ?" if verdict else "")
        parameters: list[Any] = [after, *([verdict] if verdict else [])]
        found = self._connection.execute(
            f"SELECT row_number, verdict, bad_column, bad_reason, bad_value FROM verdicts WHERE {where}"
            f" ORDER BY row_number LIMIT {int(limit)}",
            parameters,
        ).fetchall()
        return [Judged(*row) for row in found]

    def end(self) -> int:
        """The position behind the last item."""
        return count_of(self._connection, "SELECT coalesce(max(position) + 1, 0) FROM items")

    def item_count(self) -> int:
        """How many items are to be applied."""
        return count_of(self._connection, "SELECT count(*) FROM items")

    def items(self, start: int, count: int) -> pa.Table:
        """Items at positions `start`..`start + count`, in order, numbered by `item`, with the stage's columns."""
        memory = _READING_LINES_MEMORY if self._mapping.lines else _READING_MEMORY
        self._connection.execute(f"SET memory_limit = '{memory}'")
        found = _in_order(self._connection.sql(staging.items(start, count)).to_arrow_table())
        hashes = pa.chunked_array([_bytes(found.column("hash"))])
        found = found.set_column(found.schema.get_field_index("hash"), "hash", hashes)
        return found.append_column("item", pa.array(np.arange(found.num_rows, dtype=np.uint32)))

    def lines(self, start: int, count: int) -> pa.Table:
        """The order lines of the same items, numbered by `line` within each."""
        return _numbered(self._connection.sql(staging.lines(start, count)).to_arrow_table())

    def rates(self) -> list[Rate]:
        """The items of an import of rates."""
        return [self._rate(unit) for unit in self.items(0, self.end()).to_pylist()]

    def distinct_texts(self, column: str) -> list[str]:
        """The distinct values of a text column among the items."""
        found = self._connection.execute(f'SELECT DISTINCT "{column}" FROM items').fetchall()
        return sorted(str(value) for (value,) in found if value is not None)

    def _parse(self, rows: FileRows, progress: Progress) -> None:
        cells = {name: f"cell_{index}" for index, name in enumerate(rows.columns)}
        schema = pa.schema({NUMBER: pa.uint32()} | dict.fromkeys(cells.values(), pa.string()))
        group = self._mapping.lines.get("group_by")
        tables = (table.rename_columns(schema.names) for table in rows.tables(group.column if group else None))
        statement = f"INSERT INTO parsed {select_parsed(self._mapping, 'file_rows', cells)}"
        execute_over(self._connection, statement, "file_rows", tables, schema, progress)

    def _refuse(self, rows: FileRows) -> None:
        """Records that are no rows are judged like rows that cannot be read; their order is not taken without them."""
        table = pa.table(
            {
                "row_number": pa.array([one.row for one in rows.refused], pa.uint32()),
                "bad_reason": pa.array([one.reason for one in rows.refused], pa.string()),
                "bad_value": pa.array([one.text for one in rows.refused], pa.string()),
                "from_left": pa.array([one.groups[0] for one in rows.refused], pa.string()),
                "from_right": pa.array([one.groups[1] for one in rows.refused], pa.string()),
            }
        )
        with registered(self._connection, "refused_rows", table):
            self._connection.execute(staging.REFUSED_LINES if self._mapping.lines else staging.REFUSED)

    def _refuse_names(self, judge: NameJudge) -> None:
        """Events whose names are not taken, for want of a key (C-1) or of room (C-4)."""
        found = self._connection.execute(
            "SELECT event FROM parsed WHERE bad_reason IS NULL AND event IS NOT NULL"
            " GROUP BY event ORDER BY min(row_number)"
        ).fetchall()
        refused = judge([name for (name,) in found])
        table = pa.table(
            {"name": pa.array(refused.keys(), pa.string()), "reason": pa.array(refused.values(), pa.string())}
        )
        shown = self._mapping.fields["event"].column or "event"
        with registered(self._connection, "refused_names", table):
            self._connection.execute(
                "UPDATE parsed SET bad_reason = n.reason, bad_column = ?, bad_value = event"
                " FROM refused_names n WHERE event = n.name AND bad_reason IS NULL",
                [shown],
            )

    def _leave_erased(self, start: int, known: Known, app_key: int, said_at: datetime) -> None:
        """Items from before their person's erasure are none."""
        columns = [name for name in _SAYING_WHO if name in COLUMNS[self._mapping.kind]]
        items = self._connection.sql(
            f"SELECT position, {', '.join(columns)} FROM items WHERE {_between(start)} ORDER BY position"
        ).to_arrow_table()
        erased = items.filter(known.erased_rows(app_key, items, said_at)).select(["position"])
        with registered(self._connection, "looked_up", erased):
            self._connection.execute("INSERT INTO erased SELECT position FROM looked_up")

    def _look_up(self, start: int, known: Known, app_key: int) -> None:
        """Notes which items are stored already, or what they say of what is; `new` is not noted."""
        kind = self._mapping.kind
        if kind == "rates":
            self._note(self._compared_rates(start, known))
            return
        columns = {"orders": ", order_id", "customers": ", external_id"}.get(kind, "")
        items = self._connection.sql(
            f"SELECT position, hash{columns} FROM items WHERE {_between(start)} ORDER BY position"
        ).to_arrow_table()
        there = known.known_hashes(_bytes(items.column("hash")))
        if kind == "orders":
            earlier = known.known_orders(app_key, items.column("order_id").combine_chunks())
        elif kind == "customers":
            earlier = known.known_external_ids(items.column("external_id").combine_chunks())
        else:
            earlier = pa.nulls(items.num_rows, pa.bool_()).fill_null(False)
        found = pa.table({"position": items.column("position"), "there": there, "earlier": earlier})
        # A consent is a new entry of its log, unless it only says again what is the case.
        asked = pc.invert(found["there"]) if kind == "consents" else pc.and_not(found["earlier"], found["there"])
        unchanged = self._unchanged(start, found.filter(asked).column("position"), known, app_key)
        updated = pc.if_else(found["earlier"], "updated", pa.scalar(None, pa.string()))
        verdicts = pc.if_else(found["there"], "already_stored", updated)
        noted = pa.table({"position": found["position"], "stored": verdicts})
        same = pa.table({"position": unchanged, "stored": pa.array(["unchanged"] * len(unchanged), pa.string())})
        left = noted.filter(pc.invert(pc.is_in(noted["position"], value_set=unchanged)))
        self._note(pa.concat_tables([left.filter(left["stored"].is_valid()), same]))

    def _unchanged(self, start: int, positions: pa.ChunkedArray, known: Known, app_key: int) -> pa.Array:
        """Those of the positions whose items say nothing new."""
        kind = self._mapping.kind
        asked = pa.table({"position": positions}).append_column("item", pa.array(range(len(positions)), pa.uint32()))
        if not asked.num_rows or kind == "events":
            return pa.array([], pa.uint32())
        with registered(self._connection, "asked_items", asked):
            rows = self._connection.sql(
                "SELECT i.* FROM items i JOIN asked_items a USING (position) ORDER BY a.item"
            ).to_arrow_table()
            lines = None
            if self._mapping.lines:
                told = staging.lines(start, _LOOKUP_ROWS, "asked_items")
                lines = _numbered(self._connection.sql(told).to_arrow_table())
        same = known.unchanged_rows(kind, app_key, rows.drop_columns(["position"]), lines)
        return pa.array(positions.filter(same).to_pylist(), pa.uint32())

    def _compared_rates(self, start: int, known: Known) -> pa.Table:
        items = self._connection.sql(f"SELECT * FROM items WHERE {_between(start)} ORDER BY position").to_arrow_table()
        earlier = known.known_rates(items.select(["day", "currency"]))
        said = [self._rate(unit).rate for unit in items.to_pylist()]
        verdicts = [
            None if rate is None else "unchanged" if rate == now else "updated"
            for now, rate in zip(said, earlier, strict=True)
        ]
        found = pa.table({"position": items["position"], "stored": pa.array(verdicts, pa.string())})
        return found.filter(found["stored"].is_valid())

    def _rate(self, unit: dict[str, Any]) -> Rate:
        return rate_of(unit["day"], unit["currency"], unit["rate"], self._mapping.options["direction"])

    def _note(self, found: pa.Table) -> None:
        with registered(self._connection, "looked_up", found):
            self._connection.execute("INSERT INTO found SELECT position, stored FROM looked_up")


def _between(start: int) -> str:
    return f"position >= {int(start)} AND position < {int(start) + _LOOKUP_ROWS}"


def _in_order(items: pa.Table) -> pa.Table:
    """By position. Threads have written whole runs in order, so runs are put in order and no row is copied."""
    positions = items.column("position").to_numpy()
    starts = (
        np.flatnonzero(np.concatenate([[True], positions[1:] < positions[:-1]])) if len(positions) else np.array([])
    )
    ends = np.append(starts[1:], len(positions))
    runs = [items.slice(starts[run], ends[run] - starts[run]) for run in np.argsort(positions[starts])]
    ordered = pa.concat_tables(runs) if runs else items
    positions = ordered.column("position").to_numpy()
    if np.all(positions[:-1] < positions[1:]):
        return ordered
    return ordered.take(pa.array(np.argsort(positions)))


def _numbered(lines: pa.Table) -> pa.Table:
    """With `item` and `line` for `position` and `row_number`: every item has lines, so its number is its place."""
    lines = lines.take(pa.array(np.lexsort((lines.column("row_number"), lines.column("position")))))
    positions = lines.column("position").to_numpy()
    begins = np.append(True, positions[1:] != positions[:-1])[: len(positions)]
    item = np.cumsum(begins) - 1
    line = np.arange(len(positions)) - np.flatnonzero(begins)[item]
    numbers = {"item": pa.array(item, pa.uint32()), "line": pa.array(line, pa.int32())}
    told = lines.drop_columns(["position", "row_number"])
    return pa.table({**numbers, **{name: told.column(name) for name in told.column_names}})


def _bytes(hashes: pa.ChunkedArray) -> pa.Array:
    """128-bit numbers as the 16 bytes that they are of."""
    return hashes.combine_chunks().storage


def batch_items(units: pa.Table, app_key: int, source: int, fallback: datetime) -> pa.Table:
    """The ITEMS of a batch; rows without a time of their own happened when the import was made."""
    count = units.num_rows
    naive = fallback.replace(tzinfo=None)
    columns: dict[str, pa.Array] = {
        "app_key": pa.array([app_key] * count, pa.uint16()),
        "trust": pa.array([2] * count, pa.uint8()),
        "source": pa.array([source] * count, pa.uint32()),
        "hash": units.column("hash"),
    }
    for name in ("external_id", "anonymous_id"):
        if name in units.column_names:
            columns[name] = units.column(name)
    if "happened_at" in units.column_names:
        columns["happened_at"] = units.column("happened_at").fill_null(pa.scalar(naive, pa.timestamp("us")))
    else:
        columns["happened_at"] = pa.array([naive] * count, pa.timestamp("us"))
    return pa.table(columns)
