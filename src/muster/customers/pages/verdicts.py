"""How the verdicts of an import look: their words, icons, and the bar they share."""

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


LOOKS = {
    "new": Look(lambda n: ngettext("new", "new", n), icon="circle-check", swatch="f1", tone="ok"),
    "updated": Look(
        lambda n: ngettext("changes what is known", "change what is known", n), icon="refresh", swatch="f2", tone=""
    ),
    "unchanged": Look(lambda n: ngettext("says nothing new", "say nothing new", n), icon="copy", swatch="f3"),
    "duplicate_in_file": Look(
        lambda n: ngettext("twice in the file", "twice in the file", n), icon="copy", swatch="f4"
    ),
    "already_stored": Look(lambda n: ngettext("imported before", "imported before", n), icon="archive", swatch="f6"),
    "erased": Look(lambda n: ngettext("about somebody erased", "about people erased", n), icon="ban", swatch="f6"),
    "invalid": Look(lambda n: ngettext("invalid", "invalid", n), icon="alert-triangle", swatch="f5", tone="bad"),
}

_REASONS = {
    "missing": _("empty, but needed"),
    "too_long": _("too long"),
    "control_character": _("a control character"),
    "not_a_date": _("not a date as it was described"),
    "not_a_number": _("not a number as it was described"),
    "not_yes_or_no": _("neither yes nor no"),
    "not_positive": _("not above zero"),
    "not_a_name": _("a name without a letter or digit"),
    "event_limit": _("one event too many"),
    "identity_placeholder": _("a placeholder, not the id of anybody"),
    "order_incomplete": _("another line of the order is invalid"),
    "conflict_in_file": _("says otherwise than an earlier row"),
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


def counted(looks: Mapping[str, Look], counts: Mapping[str, int], chosen: str) -> list[Counted]:
    """Every verdict of `looks`, also those that none of the rows has."""
    found: list[Counted] = []
    total = max(sum(counts.values()), 1)
    before = 0
    for key, look in looks.items():
        count = counts.get(key, 0)
        x, width = (f"{_BAR_WIDTH * part / total:.2f}" for part in (before, count))
        address = "?" + urlencode({"verdict": key})
        found.append(Counted(key, look, look.words(count), count, x, width, address, key == chosen))
        before += count
    return found


def words_of(verdict: str, count: int = 1) -> str:
    """What is said of so many rows with the verdict."""
    look = LOOKS.get(verdict)
    return look.words(count) if look else verdict


def reason_of(reason: str | None) -> str | Promise:
    """What is wrong with a row in the reader's words; a reason without words as it is."""
    return _REASONS.get(reason, reason) if reason else ""
