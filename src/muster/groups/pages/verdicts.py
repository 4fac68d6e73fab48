"""Verdicts of a dry run as people read them: words, signs, and the bar that shows how many of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

_BAR_WIDTH = 100


@dataclass(frozen=True)
class Look:
    """`words`: of so many rows; `swatch`: the colour of the bar (f1 to f6 of the sheet); `tone`: that of the words."""

    words: Callable[[int], str]
    icon: str
    swatch: str
    tone: str = "m"


_LOOKS = {
    "new": Look(lambda n: ngettext("new", "new", n), icon="circle-check", swatch="f1", tone="ok"),
    "removed": Look(lambda n: ngettext("leaving", "leaving", n), icon="user-minus", swatch="f1", tone=""),
    "pending": Look(
        lambda n: ngettext("new, waiting for their customer", "new, waiting for their customer", n),
        icon="clock",
        swatch="f2",
        tone="",
    ),
    "already_member": Look(
        lambda n: ngettext("on the list already", "on the list already", n), icon="users", swatch="f3"
    ),
    "not_a_member": Look(lambda n: ngettext("not on the list", "not on the list", n), icon="users", swatch="f3"),
    "duplicate_in_file": Look(
        lambda n: ngettext("twice in the file", "twice in the file", n), icon="copy", swatch="f4"
    ),
    "invalid": Look(lambda n: ngettext("invalid", "invalid", n), icon="alert-triangle", swatch="f5", tone="bad"),
    "suppressed": Look(
        lambda n: ngettext("new, no messages wanted", "new, no messages wanted", n), icon="ban", swatch="f6"
    ),
}
_COMING = ("new", "pending", "already_member", "duplicate_in_file", "invalid", "suppressed")
_LEAVING = ("removed", "not_a_member", "duplicate_in_file", "invalid")

_REASONS = {
    "empty": _("empty"),
    "too_long": _("longer than 255 characters"),
    "not_an_address": _("not an e-mail address"),
    "not_a_customer_id": _("not the id of a customer"),
    "too_few_cells": _("fewer cells than the header"),
    "too_many_cells": _("more cells than the header"),
    "not_json": _("not JSON"),
}


@dataclass(frozen=True)
class Counted:
    """One verdict with its part of the bar: `x` and `width` of a hundred."""

    key: str
    look: Look
    label: str
    count: int
    x: str
    width: str
    address: str
    current: bool


def counted(counts: Mapping[str, int], mode: str, chosen: str) -> list[Counted]:
    """Every verdict an import of the mode can give, also those that none of its rows has."""
    found: list[Counted] = []
    total = max(sum(counts.values()), 1)
    before = 0
    for key in _LEAVING if mode == "remove" else _COMING:
        count = counts.get(key, 0)
        x, width = (f"{_BAR_WIDTH * part / total:.2f}" for part in (before, count))
        look, address = _LOOKS[key], "?" + urlencode({"verdict": key})
        found.append(Counted(key, look, look.words(count), count, x, width, address, key == chosen))
        before += count
    return found


def words_of(verdict: str, count: int = 1) -> str:
    """What is said of so many rows with the verdict."""
    return _LOOKS[verdict].words(count)


def reason_of(reason: str | None) -> str | Promise:
    """What is wrong with a row in the reader's words; a reason without words as it is."""
    return _REASONS.get(reason, reason) if reason else ""
