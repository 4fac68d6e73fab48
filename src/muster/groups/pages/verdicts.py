"""Verdicts of a dry run as people read them: words, signs, and the bar that shows how many of each."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from muster.customers.pages.verdicts import Look

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


def looks_of(mode: str) -> dict[str, Look]:
    """Every verdict that an import of the mode can give, in the order of its bar."""
    return {key: _LOOKS[key] for key in (_LEAVING if mode == "remove" else _COMING)}


def words_of(verdict: str, count: int = 1) -> str:
    """What is said of so many rows with the verdict."""
    return _LOOKS[verdict].words(count)


def reason_of(reason: str | None) -> str | Promise:
    """What is wrong with a row in the reader's words; a reason without words as it is."""
    return _REASONS.get(reason, reason) if reason else ""
