"""Files imported as the product imports them: mapping, dry run, chunks; without the web around it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.files.batches import CHUNK_ITEMS, batch_of
from muster.warehouse.files.mapping import read_mapping, read_source
from muster.warehouse.files.reading import file_digest, open_rows
from muster.warehouse.files.stage import Stage


def import_file(
    path: Path,
    document: dict[str, Any],
    warehouse: DuckDBWarehouse,
    catalog: Catalog,
    work: Path,
    received_at: datetime,
    *,
    source: int = 1,
    apply: bool = True,
    chunk: int = CHUNK_ITEMS,
) -> dict[str, int]:
    """Answers the rows by verdict; applies the good ones."""
    rows = open_rows(path, read_source(document.get("source")))
    mapping = read_mapping(document, rows.columns)
    work.mkdir(parents=True, exist_ok=True)
    app_key = catalog.apps[mapping.app].number if mapping.app else 0
    with Stage(work, mapping) as stage:
        counts = stage.fill(rows, file_digest(path), warehouse, app_key, lambda _: None)
        total = stage.end()
        for start in range(0, total if apply else 0, chunk):
            batch = batch_of(stage, mapping, catalog, start, chunk, source=source, received_at=received_at)
            warehouse.append(batch, catalog, {"test": start})
    return counts
