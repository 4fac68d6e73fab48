"""One statement over all tables of a file, and how it ends when something goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from muster.warehouse.files.errors import FileUnreadable
from muster.warehouse.files.feed import execute_over

SCHEMA = pa.schema({"number": pa.uint32()})
ROWS = 40_000


def tables(count: int, error: Exception | None = None) -> Iterator[pa.Table]:
    for number in range(count):
        yield pa.table({"number": pa.array(range(number * ROWS, (number + 1) * ROWS), pa.uint32())})
    if error is not None:
        raise error


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("CREATE TABLE kept (number UINTEGER)")
        yield opened


def kept(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    found: tuple[int, int] = connection.sql("SELECT count(*), count(DISTINCT number) FROM kept").fetchall()[0]
    return found


def test_every_row_arrives_once_and_is_counted(connection: duckdb.DuckDBPyConnection) -> None:
    heard: list[int] = []
    execute_over(connection, "INSERT INTO kept FROM fed", "fed", tables(7), SCHEMA, heard.append)
    assert kept(connection) == (7 * ROWS, 7 * ROWS)
    assert heard[-1] == 7 * ROWS
    assert heard == sorted(heard)


def test_error_of_the_tables_is_raised_as_it_is(connection: duckdb.DuckDBPyConnection) -> None:
    error = FileUnreadable("A quote is never closed.")
    with pytest.raises(FileUnreadable) as raised:
        execute_over(connection, "INSERT INTO kept FROM fed", "fed", tables(3, error), SCHEMA, lambda _: None)
    assert raised.value is error
    assert kept(connection) == (0, 0)


def test_who_hears_of_progress_may_end_it(connection: duckdb.DuckDBPyConnection) -> None:
    class Cancelled(Exception):
        pass

    def stop(_: int) -> None:
        raise Cancelled

    # More than could ever be read: only stopping ends it.
    with pytest.raises(Cancelled):
        execute_over(connection, "INSERT INTO kept FROM fed", "fed", tables(1_000_000), SCHEMA, stop)
    assert kept(connection)[0] < 1_000_000 * ROWS


def test_statement_that_fails_does_not_wait_for_the_tables(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.ConversionException):
        execute_over(
            connection,
            "INSERT INTO kept SELECT CAST('x' || number AS UINTEGER) FROM fed",
            "fed",
            tables(1_000_000),
            SCHEMA,
            lambda _: None,
        )
