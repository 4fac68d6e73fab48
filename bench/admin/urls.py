"""The addresses of Muster, and the admin's change list of groups."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin, display
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import path
from django.utils.html import format_html

from muster.groups.models import Group
from muster.groups.pages.words import reader_words, told_definition
from muster.groups.queries.evaluation import vocabulary
from muster.groups.queries.listing import Wanted, listing
from muster.kernel.clock import system_clock
from muster.web.charts import spark
from muster.wiring.urls import handler400, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]


class OpenSite(AdminSite):
    """Whoever got this far may look: who they are was asked by Muster's own middleware."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


class GroupList(ChangeList):
    """Asks for all rows of the page at once, as ours does: only how they are shown differs."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = listing(Wanted(rows=self.list_per_page), system_clock(), may_list=True)
        known, words = vocabulary(archived=True, names=found.names), reader_words(found.names)
        lines = {one.group.id: one for one in found.lines}
        for row in self.result_list:
            row.line = lines.get(row.id)
            row.told = told_definition(row.definition, known, words)


class GroupAdmin(ModelAdmin):
    """The columns and filters of our list."""

    list_display = (
        "name", "told", "kind", "app", "size", "curve", "week", "state", "refreshed_at", "uses",
        "updated_at", "edited_by",
    )  # fmt: skip  # a table, read by rows
    list_filter = ("kind", "app", "state")
    search_fields = ("name", "key", "definition")
    ordering = ("name",)
    list_per_page = 50
    actions = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return GroupList

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    @display
    def told(self, row: Any) -> str:
        return str(row.told)

    @display
    def curve(self, row: Any) -> str:
        return format_html('<svg viewBox="0 0 104 28"><path d="{}"/></svg>', spark(row.line.trend) if row.line else "")

    @display
    def week(self, row: Any) -> str:
        return f"{row.line.joined.size} {row.line.left.size}" if row.line else ""

    @display
    def uses(self, row: Any) -> int:
        return row.line.uses if row.line else 0

    @display
    def edited_by(self, row: Any) -> str:
        return row.line.edited_by if row.line else ""


site = OpenSite(name="admin")
site.register(Group, GroupAdmin)
urlpatterns = [path("admin/", site.urls), *urlpatterns]
