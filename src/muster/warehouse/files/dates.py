"""Dates that people write: what is readable as day-month and as month-day is never guessed (C-35)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from muster.kernel.worded import worded
from muster.rules.vocabulary import Type
from muster.warehouse.files.errors import DateAmbiguous, MappingInvalid
from muster.warehouse.files.mapping import Field, ImportMapping
from muster.warehouse.files.reading import FileRows

SAMPLE_ROWS = 1_000
_WRITTEN = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T].*)?", re.ASCII)
_MONTHS, _DAYS = 12, 31


@dataclass
class _Written:
    """How many values of a column are such dates, and how many of these are readable each way."""

    values: int = 0
    written: int = 0
    day_first: int = 0
    month_first: int = 0
    both: int = 0
    separator: str = "/"
    year: str = "%Y"

    def add(self, value: str) -> None:
        self.values += 1
        match = _WRITTEN.fullmatch(value)
        if match is None:
            return
        first, second = int(match[1]), int(match[3])
        self.written += 1
        day_first = 1 <= first <= _DAYS and 1 <= second <= _MONTHS
        month_first = 1 <= first <= _MONTHS and 1 <= second <= _DAYS
        self.day_first += day_first
        self.month_first += month_first
        self.both += day_first and month_first
        self.separator, self.year = match[2], "%Y" if len(match[4]) > 2 else "%y"

    def format(self, *, day_first: bool) -> str:
        return self.separator.join(("%d", "%m", self.year) if day_first else ("%m", "%d", self.year))


def check_dates(mapping: ImportMapping, rows: FileRows) -> None:
    """Refuses a column of written dates without a format, by the file's first 1,000 rows.

    `date_ambiguous` with the counts for each reading; `mapping_invalid` with the format where only one reading fits.
    A few such values among others are left to the verdicts of their rows.
    """
    asked = {pointer: one for pointer, one in mapping.all_fields() if _is_date(pointer, one)}
    columns = [one.column for one in asked.values() if one.column is not None]
    head = next(iter(rows.tables()), None) if columns else None
    if head is None:
        return
    for pointer, one in asked.items():
        found = _Written()
        for value in head.column(1 + rows.columns.index(one.column or "")).slice(0, SAMPLE_ROWS).to_pylist():
            if value and value.strip() and value not in mapping.nulls:
                found.add(value.strip())
        if found.written * 2 > found.values:
            _refuse(found, one.column or "", pointer)


def proposed_format(values: Iterable[str]) -> str | None:
    """The format in which most of the values are written, if there is but one; None also for ISO 8601."""
    found = _Written()
    for value in values:
        found.add(value)
    only_day, only_month = found.day_first > found.both, found.month_first > found.both
    if found.written * 2 <= found.values or only_day == only_month:
        return None
    return found.format(day_first=only_day)


def _is_date(pointer: str, one: Field) -> bool:
    is_date = pointer in ("/row/happened_at", "/row/day") or one.type in (Type.DATE, Type.TIMESTAMP)
    return is_date and one.format is None and one.column is not None


def _refuse(found: _Written, column: str, pointer: str) -> None:
    only_day = found.day_first > found.both
    only_month = found.month_first > found.both
    if only_day != only_month:
        format = found.format(day_first=only_day)
        raise MappingInvalid(
            worded(
                'The dates of {column} are not written as 2026-01-31. Say `format: "{format}"` in the mapping.',
                column=repr(column),
                format=format,
            ),
            pointer=f"{pointer}/format",
        )
    raise DateAmbiguous(
        worded(
            "Of the first {written:,} dates of {column}, {day_first:,} can be read with the day first and"
            ' {month_first:,} with the month first. Say which in the mapping: `format: "{format_day}"` or'
            ' `format: "{format_month}"`.',
            written=found.written,
            column=repr(column),
            day_first=found.day_first,
            month_first=found.month_first,
            format_day=found.format(day_first=True),
            format_month=found.format(day_first=False),
        ),
        pointer=f"{pointer}/format",
        details={"column": column, "day_first": found.day_first, "month_first": found.month_first},
    )
