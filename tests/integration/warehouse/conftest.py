"""Every backend that can be written to runs the same suite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from muster.warehouse.duckdb.warehouse import DuckDBWarehouse


@pytest.fixture(params=["duckdb"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(tmp_path) as opened:
        yield opened
