"""Rows as CSV for spreadsheets, which must not mistake somebody's name for a formula."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Any, TextIO

# What spreadsheets read as the beginning of a formula (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(file: TextIO, rows: Iterable[dict[str, Any]]) -> int:
    """Writes the rows, columns as in the first one, and answers their number."""
    writer: csv.DictWriter[str] | None = None
    count = 0
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(file, list(row), restval="", extrasaction="ignore", lineterminator="\r\n")
            writer.writeheader()
        writer.writerow({name: cell(value) for name, value in row.items()})
        count += 1
    file.flush()
    return count


def cell(value: Any) -> Any:
    """Numbers as they are; texts that begin like a formula behind an apostrophe; anything else as JSON."""
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
        case bool() | dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return value
