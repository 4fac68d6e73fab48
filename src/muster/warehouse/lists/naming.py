"""Whether a kept upload names somebody: asked before it is deleted because they are erased (C-45)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from muster.kernel.errors import MusterError
from muster.warehouse.duckdb.properties import literal
from muster.warehouse.duckdb.scratch import count_of, registered
from muster.warehouse.files.reading import Source, open_rows
from muster.warehouse.lists.entries import EntryKind
from muster.warehouse.subject import Subject

_IDS = ("external_id", "anonymous_id", "device_id", "email", "identity")
_REFUSED = ("bad_value", "entry")


def upload_names(directory: Path, source: Source, subject: Subject, *, judged: bool) -> bool:
    """`judged`: whether its dry run is done, so that its stage can be asked. A file that cannot be read names
    everybody: nobody can say that it does not."""
    if judged and (directory / "stage.duckdb").exists():
        return _stage_names(directory, subject)
    path = directory / "file"
    return path.exists() and _file_names(path, source, subject)


def _asked(subject: Subject) -> list[str]:
    return sorted({text.lower() for text in subject.texts()})


def _stage_names(directory: Path, subject: Subject) -> bool:
    with duckdb.connect(str(directory / "stage.duckdb"), read_only=True) as connection:
        connection.execute(f"SET temp_directory = {literal(str(directory / 'spill'))}")
        columns = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE table_name IN ('parsed', 'current')"
        ).fetchall()
        asked = pa.table({"text": pa.array(_asked(subject), pa.string())})
        keys = pa.table({"text": pa.array([str(key) for key in subject.keys], pa.string())})
        with registered(connection, "asked", asked), registered(connection, "asked_keys", keys):
            return any(count_of(connection, query) for query in _queries(set(columns)))


def _queries(columns: set[tuple[str, str]]) -> Iterator[str]:
    """Counts of rows that name somebody; of a list of people what was on it before, too."""
    for table, column in sorted(columns):
        if column in _IDS:
            yield f"SELECT count(*) FROM {table} p SEMI JOIN asked a ON a.text = lower(trim(p.{column}))"
        if column == "identity":
            customers = f"a.text = p.identity AND p.kind = {EntryKind.CUSTOMER:d}"
            yield f"SELECT count(*) FROM {table} p SEMI JOIN asked_keys a ON {customers}"
        # Of rows that were refused only what was wrong is kept: it may hold a whole line.
        if column in _REFUSED and table == "parsed":
            refused = "bad_reason" if column == "bad_value" else "reason"
            yield (
                f"SELECT count(*) FROM parsed p WHERE {refused} IS NOT NULL"
                f" AND EXISTS (SELECT 1 FROM asked a WHERE contains(lower(p.{column}), a.text))"
            )


def _file_names(path: Path, source: Source, subject: Subject) -> bool:
    texts = _asked(subject)
    asked = pa.array(texts, pa.string())
    try:
        rows = open_rows(path, source)
        if any(title.strip().lower() in texts for title in rows.columns):
            return True
        for table in rows.tables():
            for column in table.columns:
                if pa.types.is_string(column.type):
                    cells = pc.utf8_lower(pc.utf8_trim_whitespace(column))
                    if pc.any(pc.is_in(cells, asked)).as_py():
                        return True
    except MusterError:
        return True
    return any(text in one.text.lower() for one in rows.refused for text in texts)
