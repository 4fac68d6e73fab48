"""Columns of tables that whoever reads may hide, never the first (D-30)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.http import HttpRequest
from django.utils.functional import Promise

from muster.web.errors import NotFound
from muster.web.hooks import Asker, preferences

tables: dict[str, Mapping[str, str | Promise]] = {}
"""By the key of a table: the columns that may be hidden, in order, with the labels their headers have."""

Keeper = Callable[[Asker, Mapping[str, Sequence[str]]], object]
"""Stores for who asks which columns of which tables are hidden."""

_keepers: list[Keeper] = []


def register_table(table: str, columns: Mapping[str, str | Promise]) -> None:
    """Called in the `apps.py` of the room whose table it is. Left out is the first column, which always stays."""
    tables[table] = columns


def register_keeper(keeper: Keeper) -> None:
    _keepers[:] = [keeper]


def shown_columns(request: HttpRequest, table: str) -> list[str]:
    """Those of the columns that whoever reads has not hidden, in order."""
    hidden = preferences(request).hidden_columns.get(table, ())
    return [column for column in tables[table] if column not in hidden]


def keep_shown(asker: Asker, table: str, shown: Sequence[str]) -> None:
    """From now on they see these columns of the table, whatever else there will be one day too. `not_found`"""
    if table not in tables:
        raise NotFound("There is nothing here, or it is not visible to you.")
    _keepers[0](asker, {table: [column for column in tables[table] if column not in shown]})
