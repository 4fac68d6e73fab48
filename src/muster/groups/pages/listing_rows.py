"""Rows of the table of groups as a reader sees them: put into words here, which is faster than in a template."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from muster.catalog.queries import apps
from muster.groups.pages.words import group_state, reader_words, told_definition
from muster.groups.queries.evaluation import Named, vocabulary
from muster.groups.queries.groups import GroupView
from muster.groups.queries.listing import Line
from muster.groups.terms import Kind, State
from muster.web.charts import spark
from muster.web.persons import person_label
from muster.web.templatetags.web import NOTHING, ago, number

TABLE = "groups"
COLUMNS: dict[str, str | Promise] = {
    "kind": gettext_lazy("Kind"),
    "size": gettext_lazy("Customers"),
    "trend": gettext_lazy("90 days"),
    "week": gettext_lazy("7 days"),
    "fresh": gettext_lazy("Freshness"),
    "uses": gettext_lazy("Used by"),
    "edited": gettext_lazy("Edited"),
}
"""All but the name, in the order of the table."""
_WIDTHS = {
    "kind": "w-k",
    "size": "r w-n",
    "trend": "w-s",
    "week": "r w-7",
    "fresh": "w-f",
    "uses": "w-u",
    "edited": "w-e",
}


@dataclass(frozen=True)
class Heading:
    """`address`: where it leads, if the table is sorted by it; `sorted`: how it is now (`aria-sort`), or nothing."""

    label: str | Promise
    width: str
    address: str
    sorted: str


@dataclass(frozen=True)
class Row:
    """A group by its texts. `size` is empty where it is Small."""

    id: str
    address: str
    name: str
    tags: list[str]
    text: str
    kind: str
    app: str
    size: str
    state: str
    fresh: str


@dataclass(frozen=True)
class LineRow(Row):
    """A row of the table itself. `joined` is empty where the week is not told."""

    label: str
    chosen: bool
    trend: str
    failed: bool
    joined: str
    left: str
    uses: str
    edited: str
    edited_by: str


class Teller:
    """Puts groups into the reader's words. `names`: of every group."""

    def __init__(self, names: Sequence[Named]) -> None:
        self._known, self._words = vocabulary(archived=True, names=names), reader_words(names)
        self.apps = {app.key: app.label(get_language() or "en") for app in apps()}
        self._kinds = {Kind.SEGMENT: _("Segment"), Kind.KNOWN: _("Known users")}
        self._no_app, self._choose = _("all apps"), _("Choose %(name)s")

    def rows(self, groups: Iterable[GroupView]) -> list[Row]:
        return [Row(*self._of_group(group)) for group in groups]

    def lines(self, lines: Iterable[Line], chosen: Collection[str]) -> list[LineRow]:
        """`chosen`: ids of the groups that are ticked."""
        return [self._line(line, line.group.id in chosen) for line in lines]

    def _line(self, line: Line, chosen: bool) -> LineRow:
        group = line.group
        return LineRow(
            *self._of_group(group),
            label=self._choose % {"name": group.name},
            chosen=chosen,
            trend=spark(line.trend),
            failed=group.state == State.FAILED,
            joined="" if line.joined.small else _signed("+", line.joined.size),
            left=_signed("−", line.left.size),
            uses=ngettext("%(uses)s use", "%(uses)s uses", line.uses) % {"uses": line.uses} if line.uses else "",
            edited=ago(group.updated_at),
            edited_by=person_label(line.edited_by),
        )

    def _of_group(self, group: GroupView) -> tuple[str, str, str, list[str], str, str, str, str, str, str]:
        return (
            group.id,
            reverse("groups:group", args=(group.key,)),
            group.name,
            group.tags,
            self.told(group),
            self._kinds[Kind(group.kind)],
            self.apps.get(group.app, group.app) if group.app else self._no_app,
            "" if group.small else number(group.size),
            group_state(group.state, group.failure),
            ago(group.refreshed_at),
        )

    def told(self, group: GroupView) -> str:
        """What a group is, in a line: its sentence, or what stands on its list."""
        if group.definition:
            return told_definition(group.definition, self._known, self._words)
        if group.kind != Kind.KNOWN:
            return ""
        entries = ngettext("List with %(count)s entry", "List with %(count)s entries", group.entries)
        pending = ngettext("%(count)s of them waiting", "%(count)s of them waiting", group.pending)
        told = [entries % {"count": group.entries}]
        return ", ".join(told + ([pending % {"count": group.pending}] if group.pending else []))


def _signed(sign: str, count: int | None) -> str:
    return NOTHING if count is None else f"{sign if count else ''}{number(count)}"


def headings(shown: Sequence[str], sorts: Mapping[str, tuple[str, str]]) -> list[Heading]:
    """Of the name and the columns that are shown. `sorts`: address and how it is sorted now, by column."""
    labels = {"name": _("Name"), **COLUMNS}
    return [
        Heading(labels[column], _WIDTHS.get(column, ""), *sorts.get(column, ("", ""))) for column in ("name", *shown)
    ]
