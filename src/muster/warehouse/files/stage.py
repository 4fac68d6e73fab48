"""An import before it is applied: every row read, judged and kept in a small DuckDB file of its own.

The dry run fills it, the application reads batches from it; both can be repeated after a crash. Memory stays bounded
whatever the file: DuckDB spills what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from muster.warehouse.files.columns import COLUMNS, select_parsed
from muster.warehouse.files.mapping import ImportMapping
from muster.warehouse.files.reading import NUMBER, FileRows

_MEMORY = "224MiB"
_LOOKUP_ROWS = 200_000
Progress = Callable[[int], None]
VERDICTS = ("new", "updated", "unchanged", "duplicate_in_file", "already_stored", "erased", "invalid")


class Known(Protocol):
    """What a dry run asks the warehouse: which of these are there already."""

    def known_hashes(self, hashes: pa.Array) -> pa.Array: ...
    def known_orders(self, app_key: int, order_ids: pa.Array) -> pa.Array: ...
    def known_external_ids(self, ids: pa.Array) -> pa.Array: ...


@dataclass(frozen=True)
class Judged:
    """One row's verdict; `column`, `reason` and `value` of an invalid one."""

    row: int
    verdict: str
    column: str | None
    reason: str | None
    value: str | None


class Stage:
    """Opens (or creates) the stage in `directory`; not shared between threads."""

    def __init__(self, directory: Path, mapping: ImportMapping) -> None:
        self._mapping = mapping
        self._connection = duckdb.connect(str(directory / "stage.duckdb"))
        self._connection.execute(f"SET memory_limit = '{_MEMORY}'")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET preserve_insertion_order = false")
        self._connection.execute(f"SET temp_directory = '{directory / 'spill'}'".replace("\\", "/"))

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fill(self, rows: FileRows, digest: str, known: Known, app_key: int, progress: Progress) -> dict[str, int]:
        """The dry run: reads the whole file, judges every row. Answers rows by verdict; their sum is the file's rows."""
        self._create()
        read = 0
        for table in rows.tables():
            self._parse(table, rows.columns)
            read += table.num_rows
            progress(read)
        self._refuse(rows)
        self._units(digest)
        self._judge(known, app_key)
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

    def unit_count(self) -> int:
        """How many items are to be applied."""
        [(count,)] = self._connection.execute("SELECT count(*) FROM units").fetchall()
        return int(count)

    def units(self, start: int, count: int) -> pa.Table:
        """Items `start`..`start + count`, in order of the file, with the stage's columns."""
        return self._table(
            f"SELECT *, unit - {int(start)} AS item FROM units WHERE unit >= {int(start)}"
            f" AND unit < {int(start) + int(count)} ORDER BY unit"
        )

    def lines(self, start: int, count: int) -> pa.Table:
        """The order lines of the same items."""
        return self._table(
            f"SELECT unit - {int(start)} AS item, line, product_id, category, name, price_micros, quantity FROM lines"
            f" WHERE unit >= {int(start)} AND unit < {int(start) + int(count)}"
        )

    def distinct_texts(self, column: str) -> list[str]:
        """The distinct values of a text column among the items."""
        found = self._connection.execute(f'SELECT DISTINCT "{column}" FROM units').fetchall()
        return sorted(str(value) for (value,) in found if value is not None)

    def _table(self, query: str) -> pa.Table:
        return self._connection.sql(query).to_arrow_table()

    def _create(self) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS[self._mapping.kind].items())
        for table in ("parsed", "verdicts", "units", "lines"):
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        self._connection.execute(
            f"CREATE TABLE parsed (row_number UINTEGER, {columns}, bad_column VARCHAR, bad_reason VARCHAR, bad_value VARCHAR)"
        )

    def _parse(self, table: pa.Table, columns: tuple[str, ...]) -> None:
        cells = {name: f"cell_{index}" for index, name in enumerate(columns)}
        renamed = table.rename_columns([NUMBER, *cells.values()])
        self._connection.register("file_rows", renamed)
        self._connection.execute(f"INSERT INTO parsed {select_parsed(self._mapping, 'file_rows', cells)}")
        self._connection.unregister("file_rows")

    def _refuse(self, rows: FileRows) -> None:
        if not rows.refused:
            return
        table = pa.table(
            {
                "row_number": pa.array([one.row for one in rows.refused], pa.uint32()),
                "bad_reason": [one.reason for one in rows.refused],
                "bad_value": [one.text for one in rows.refused],
            }
        )
        self._connection.register("refused_rows", table)
        self._connection.execute("INSERT INTO parsed BY NAME SELECT * FROM refused_rows")
        self._connection.unregister("refused_rows")

    def _units(self, digest: str) -> None:
        """From rows to items: the lines of one order are one item, wherever they stand."""
        statements = _grouped(digest) if self._mapping.lines else _single(self._mapping.kind, digest)
        for statement in statements:
            self._connection.execute(statement)

    def _judge(self, known: Known, app_key: int) -> None:
        """Against what is stored already: new, updated or there."""
        self._connection.execute("ALTER TABLE units ADD COLUMN stored VARCHAR")
        if self._mapping.kind == "rates":
            self._connection.execute("UPDATE units SET stored = 'new'")
        else:
            for start in range(0, self.unit_count(), _LOOKUP_ROWS):
                self._look_up(start, known, app_key)
        self._connection.execute("INSERT INTO verdicts " + _OF_UNITS[bool(self._mapping.lines)])

    def _look_up(self, start: int, known: Known, app_key: int) -> None:
        units = self.units(start, _LOOKUP_ROWS)
        there = known.known_hashes(units.column("hash").combine_chunks())
        if self._mapping.kind == "orders":
            earlier = known.known_orders(app_key, units.column("order_id").combine_chunks())
        elif self._mapping.kind == "customers":
            earlier = known.known_external_ids(units.column("external_id").combine_chunks())
        else:
            earlier = pa.array([False] * units.num_rows)
        found = pa.table({"unit": units.column("unit"), "there": there, "earlier": earlier})
        self._connection.register("looked_up", found)
        self._connection.execute(
            "UPDATE units SET stored = CASE WHEN l.there THEN 'already_stored' WHEN l.earlier THEN 'updated' ELSE 'new' END"
            " FROM looked_up l WHERE l.unit = units.unit"
        )
        self._connection.unregister("looked_up")


_OF_UNITS = {
    False: "SELECT first_row, stored, NULL, NULL, NULL FROM units",
    True: "SELECT l.row_number, u.stored, NULL, NULL, NULL FROM lines l JOIN units u USING (unit)",
}
# Which rows of a kind are one and the same thing.
_KEYS = {
    "customers": "coalesce(external_id, chr(31) || anonymous_id)",
    "orders": "coalesce(order_id, 'row' || chr(31) || row_number)",
    "events": "coalesce(message_id, 'row' || chr(31) || row_number)",
    "consents": "'row' || row_number",
    "rates": "day || chr(31) || currency",
}


def _content(kind: str) -> str:
    columns = ", ".join(f"coalesce(CAST({name} AS VARCHAR), chr(30))" for name in COLUMNS[kind])
    return f"md5(concat_ws(chr(31), {columns}))"


def _single(kind: str, digest: str) -> list[str]:
    """One row, one item. Repeated rows are `duplicate_in_file`; the same thing said differently is a conflict."""
    # An import row is known by file and row (C-19), its content beside it: a corrected mapping gives other items.
    item_hash = f"unhex(md5('{digest}:' || first_row || ':' || content))"
    columns = ", ".join(f"p.{name}" for name in COLUMNS[kind])
    order = f", coalesce(order_id, substr(md5('{digest}:' || first_row), 1, 20)) AS order_id"
    replaced = f"* REPLACE ({order.removeprefix(', ')})" if kind == "orders" else "*"
    return [
        f"CREATE TABLE judged AS SELECT row_number, {_KEYS[kind]} AS thing, {_content(kind)} AS content FROM parsed"
        " WHERE bad_reason IS NULL",
        "CREATE TABLE firsts AS SELECT thing, min(row_number) AS first_row, arg_min(content, row_number) AS content"
        " FROM judged GROUP BY thing",
        "CREATE TABLE verdicts AS SELECT row_number, 'invalid' AS verdict, bad_column, bad_reason, bad_value FROM parsed"
        " WHERE bad_reason IS NOT NULL",
        "INSERT INTO verdicts SELECT j.row_number, CASE WHEN j.content = f.content THEN 'duplicate_in_file' ELSE 'invalid' END,"
        " NULL, CASE WHEN j.content <> f.content THEN 'conflict_in_file' END,"
        " CASE WHEN j.content <> f.content THEN 'row ' || f.first_row END"
        " FROM judged j JOIN firsts f USING (thing) WHERE j.row_number <> f.first_row",
        f"CREATE TABLE units AS SELECT CAST(row_number() OVER (ORDER BY first_row) - 1 AS INTEGER) AS unit, {replaced},"
        f" {item_hash} AS hash FROM (SELECT f.first_row, f.content, {columns} FROM firsts f"
        " JOIN parsed p ON p.row_number = f.first_row)",
        "CREATE TABLE lines (unit INTEGER, row_number UINTEGER, line INTEGER, product_id VARCHAR, category VARCHAR,"
        " name VARCHAR, price_micros BIGINT, quantity DECIMAL(18, 6))",
        "DROP TABLE judged",
        "DROP TABLE firsts",
    ]


def _grouped(digest: str) -> list[str]:
    """Many rows, one order: if one line is bad or contradicts the others, no line of the order is taken."""
    first = [
        f"arg_min({name}, row_number) FILTER ({name} IS NOT NULL) AS {name}"
        for name in ("external_id", "anonymous_id", "happened_at", "currency", "coupon", "market")
    ]
    differing = " OR ".join(
        f"count(DISTINCT {name}) > 1" for name in ("external_id", "happened_at", "currency", "amount_micros")
    )
    return [
        f"CREATE TABLE orders AS SELECT group_key, min(row_number) AS first_row, {', '.join(first)},"
        " arg_min(order_id, row_number) AS named, max(amount_micros) AS said_micros,"
        " CAST(sum(CAST(price_micros AS DECIMAL(38, 6)) * coalesce(quantity, 1)) AS HUGEINT) AS lines_micros,"
        f" count(bad_reason) AS bad, {differing} AS differs, md5(string_agg({_content('orders')}, ',' ORDER BY row_number)) AS content"
        " FROM parsed WHERE group_key IS NOT NULL GROUP BY group_key",
        "CREATE TABLE verdicts AS SELECT p.row_number, 'invalid' AS verdict, p.bad_column,"
        " coalesce(p.bad_reason, CASE WHEN o.bad > 0 THEN 'order_incomplete' ELSE 'conflict_in_file' END) AS bad_reason,"
        " coalesce(p.bad_value, 'order ' || p.group_key) AS bad_value FROM parsed p LEFT JOIN orders o USING (group_key)"
        " WHERE p.bad_reason IS NOT NULL OR o.bad > 0 OR o.differs",
        "CREATE TABLE units AS SELECT CAST(row_number() OVER (ORDER BY first_row) - 1 AS INTEGER) AS unit, first_row, content,"
        " external_id, anonymous_id, coalesce(named, group_key) AS order_id, happened_at,"
        " CAST(coalesce(said_micros, lines_micros) AS BIGINT) AS amount_micros, currency, coupon, market, group_key,"
        f" unhex(md5('{digest}:' || first_row || ':' || content)) AS hash"
        " FROM orders WHERE bad = 0 AND NOT differs",
        "CREATE TABLE lines AS SELECT u.unit, p.row_number,"
        " CAST(row_number() OVER (PARTITION BY u.unit ORDER BY p.row_number) - 1 AS INTEGER) AS line,"
        " p.product_id, p.category, p.name, p.price_micros, p.quantity FROM parsed p JOIN units u USING (group_key)",
        "DROP TABLE orders",
    ]


def batch_items(units: pa.Table, app_key: int, source: int, fallback: datetime) -> pa.Table:
    """The ITEMS of a batch; rows without a time of their own happened when the import was made."""
    count = units.num_rows
    naive = fallback.replace(tzinfo=None)
    columns: dict[str, pa.Array] = {
        "app_key": pa.array([app_key] * count, pa.uint16()),
        "trust": pa.array([2] * count, pa.uint8()),
        "source": pa.array([source] * count, pa.uint32()),
        "hash": units.column("hash").cast(pa.binary(16)),
    }
    for name in ("external_id", "anonymous_id"):
        if name in units.column_names:
            columns[name] = units.column(name)
    if "happened_at" in units.column_names:
        columns["happened_at"] = units.column("happened_at").fill_null(pa.scalar(naive, pa.timestamp("us")))
    else:
        columns["happened_at"] = pa.array([naive] * count, pa.timestamp("us"))
    return pa.table(columns)


def chunks(total: int, size: int, start: int) -> Iterator[tuple[int, int]]:
    """(start, count) of the chunks that are still to do."""
    for begin in range(start, total, size):
        yield begin, min(size, total - begin)
