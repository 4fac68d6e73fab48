"""What identities are found by is the same however they were written."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.warehouse.duckdb.text_hash import OF_TEXT, is_one_of, text_hash


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@given(text=st.text())
def test_a_text_has_one_hash_in_python_and_in_the_store(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    [(stored,)] = connection.execute(f"SELECT {OF_TEXT.format(text='t.x')} FROM (SELECT ? AS x) t", [text]).fetchall()
    assert stored == text_hash(text)


def test_hashes_do_not_depend_on_the_version() -> None:
    """Files of years ago are read by them."""
    assert (text_hash(""), text_hash("u5000")) == (3649838548, 509795890)


def test_each_hash_is_asked_for_once() -> None:
    assert is_one_of(["u5000", "", "u5000"]) == "text_hash IN (509795890, 3649838548)"
