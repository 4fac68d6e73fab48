"""What every page of a segment begins with: name, state, sentence, the way to the other pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from muster.catalog import queries as catalog
from muster.groups.models import Group
from muster.groups.pages.words import reader_words, told_definition
from muster.groups.queries.evaluation import vocabulary
from muster.groups.queries.groups import GroupView, group
from muster.groups.terms import State
from muster.team.errors import ScopeMissing
from muster.web.hooks import can, identify

_OFFERED = {
    State.DRAFT: "activate",
    State.BUILDING: "refresh",
    State.ACTIVE: "refresh",
    State.INACTIVE: "refresh",
    State.FAILED: "retry",
    State.ARCHIVED: "restore",
}


@dataclass(frozen=True)
class Tab:
    """A page of the segment; `count` where the number of things on it is known beforehand."""

    label: str
    address: str
    current: bool
    count: int | None = None


@dataclass(frozen=True)
class Verb:
    """What may be done now, and why not where it may not (D-42)."""

    key: str
    label: str
    refusal: str


def head(request: HttpRequest, row: Group, current: str) -> dict[str, Any]:
    """`current`: the end of the address, empty on the overview."""
    asker = identify(request)
    may_list = can(asker, "members:read")
    shown = group(row.id)
    return {
        "group": shown,
        "app_name": _app_name(row),
        "sentence": told_sentence(row),
        "tabs": _tabs(row, shown, current, may_list=may_list),
        "verb": _verb(row, can(asker, "groups:write")),
        "may_list": may_list,
        "minimum_size": catalog.publisher().minimum_size,
    }


def told_sentence(row: Group) -> str:
    """In the reader's language; empty where the definition names what is gone, which Health explains."""
    return told_definition(row.definition, vocabulary(archived=True), reader_words())


def _app_name(row: Group) -> str:
    return reader_words().names.app(row.app) if row.app else ""


def _tabs(row: Group, shown: GroupView, current: str, *, may_list: bool) -> list[Tab]:
    labels: list[tuple[str, str, int | None]] = [
        ("", _("Overview"), None),
        ("members", _("Members"), None),
        ("changes", _("Joined and left"), None),
        ("compare", _("Compare"), None),
        ("used-by", _("Used by"), len(shown.used_by)),
        ("history", _("History"), row.versions.count()),
        ("health", _("Health"), None),
        ("api", _("API"), None),
    ]
    return [
        Tab(label, address_of(row, name), name == current, count)
        for name, label, count in labels
        # What somebody may not see is absent (D-12).
        if may_list or name != "members"
    ]


def address_of(row: Group, tab: str) -> str:
    return reverse("groups:group_tab", args=[row.key, tab]) if tab else reverse("groups:group", args=[row.key])


def _verb(row: Group, may_write: bool) -> Verb:
    labels = {"activate": _("Activate"), "refresh": _("Refresh"), "retry": _("Retry"), "restore": _("Restore")}
    key = _OFFERED[State(row.state)]
    return Verb(key, labels[key], "" if may_write else ScopeMissing("groups:write").message)
