"""Entries of a list of people: what somebody typed, and whom it names (G-23, C-10).

kind      identity
email     normal form of the address
external  the publisher's own id, NFC
customer  the customer's key, as text
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from muster.kernel.ids import customer_key_of
from muster.warehouse.normal.emails import normal_email

LONGEST = 255
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SEPARATOR = re.compile(r"[\s,;\u200b\ufeff]+")
_STRONG_SEPARATOR = re.compile(r"[,;\r\n]+")
# `Ann Example <ann@example.com>`, as mail programs copy it. Only what is in the brackets is searched for: a pattern
# that also matched the name before them would look through a long line again from every sign of it.
_IN_BRACKETS = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_EXTERNAL = "external:"


class EntryKind(IntEnum):
    EMAIL = 0
    EXTERNAL = 1
    CUSTOMER = 2


class Named(NamedTuple):
    """Whom an entry names; `reason` says why nobody, and then there is no identity."""

    kind: EntryKind
    identity: str | None
    reason: str | None = None


def named(entry: str, expected: EntryKind = EntryKind.EMAIL) -> Named:
    """Reads one trimmed entry. `cus_...` and `external:...` are always ids; anything else is what is `expected`."""
    if not entry:
        return Named(expected, None, "empty")
    if len(entry) > LONGEST:
        return Named(expected, None, "too_long")
    if entry.startswith("cus_"):
        return _customer(entry)
    if entry.startswith(_EXTERNAL):
        return _external(entry.removeprefix(_EXTERNAL))
    if expected is EntryKind.EXTERNAL:
        return _external(entry)
    if expected is EntryKind.CUSTOMER:
        return Named(EntryKind.CUSTOMER, None, "not_a_customer_id")
    normal = normal_email(entry)
    return Named(EntryKind.EMAIL, normal, None if normal else "not_an_address")


def _customer(entry: str) -> Named:
    try:
        return Named(EntryKind.CUSTOMER, str(customer_key_of(entry)))
    except ValueError:
        return Named(EntryKind.CUSTOMER, None, "not_a_customer_id")


def _external(text: str) -> Named:
    plain = unicodedata.normalize("NFC", text.strip())
    return Named(EntryKind.EXTERNAL, plain or None, None if plain else "empty")


def words(text: str) -> Iterator[str]:
    """Entries of typed or pasted text: between spaces, commas, semicolons and line breaks (G-24).

    Of `Ann Example <ann@example.com>` the address is the entry.
    """
    for part in _STRONG_SEPARATOR.split(text):
        end = 0
        for found in _IN_BRACKETS.finditer(part) if "<" in part else ():
            yield found[1]
            end = found.end()
        yield from (word for word in _SEPARATOR.split(part[end:]) if word)


def exported(entry: str) -> str:
    """The cell of an entry: what a spreadsheet would take for a formula stands behind an apostrophe (G-26)."""
    return f"'{entry}" if entry.startswith((*_FORMULA_STARTS, "'")) else entry


def read_cell(cell: str) -> str:
    """The entry of a cell, trimmed; undoes `exported`."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in ("'", *_FORMULA_STARTS) else text
