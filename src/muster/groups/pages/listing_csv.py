"""The table of groups as CSV: the same rows as on its pages, under names that stay (D-31)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import get_language, override

from muster.groups.pages.listing_rows import Teller
from muster.groups.policies import Told
from muster.groups.queries.listing import Line, Wanted, all_lines
from muster.warehouse.lists.entries import exported

FIELDS = (
    "id", "key", "name", "tags", "kind", "app", "description", "state", "size", "joined_7_days", "left_7_days",
    "used_by", "refreshed_at", "updated_at", "updated_by",
)  # fmt: skip  # a table, read by rows
SMALL = "Small"
"""Stands for every size that is not told, in every language: programs read it."""


def csv_lines(wanted: Wanted, now: datetime, *, may_list: bool) -> Iterator[str]:
    """What can be refused is refused before the first line; descriptions are in the language of the page."""
    names, chunks = all_lines(wanted, now, may_list=may_list)
    return _texts(Teller(names), chunks, get_language() or "en")


def _texts(teller: Teller, chunks: Iterator[list[Line]], language: str) -> Iterator[str]:
    # The mark by which spreadsheets know UTF-8.
    yield "\ufeff" + ",".join(FIELDS) + "\r\n"
    for lines in chunks:
        text = io.StringIO(newline="")
        # The answer is written after the request is over, and its language with it.
        with override(language):
            csv.writer(text).writerows([exported(cell) for cell in _cells(line, teller)] for line in lines)
        yield text.getvalue()


def _cells(line: Line, teller: Teller) -> tuple[str, ...]:
    group = line.group
    return (
        group.id,
        group.key,
        group.name,
        ", ".join(group.tags),
        group.kind,
        group.app or "",
        teller.told(group),
        group.state,
        SMALL if group.small else _count(Told(group.size)),
        _count(line.joined),
        _count(line.left),
        str(line.uses),
        group.refreshed_at.isoformat() if group.refreshed_at else "",
        group.updated_at.isoformat(),
        line.edited_by,
    )


def _count(told: Told) -> str:
    """Empty where it is not known, and where it is withheld: that need not be small (D-44)."""
    return "" if told.size is None else str(told.size)
