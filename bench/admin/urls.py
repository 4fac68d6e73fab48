"""The addresses of Muster, and the admin's change list of groups."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin, display
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path

from muster.groups.models import Group, GroupVersion
from muster.wiring.urls import handler400, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]


class OpenSite(AdminSite):
    """Whoever got this far may look: who they are was asked by Muster's own middleware."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


class GroupAdmin(ModelAdmin):
    """The columns of our list that a plain admin has: no curves of 90 days, no sentences, no uses."""

    list_display = ("name", "kind", "app", "size", "state", "refreshed_at", "changes_kept", "updated_at", "edited_by")
    list_filter = ("kind", "app", "state")
    search_fields = ("name", "key", "definition")
    ordering = ("name",)
    list_per_page = 50
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        newest = GroupVersion.objects.filter(group=OuterRef("pk")).order_by("-revision").values("saved_by")[:1]
        return super().get_queryset(request).annotate(kept=Count("changes"), editor=Subquery(newest))

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

    @display(ordering="kept")
    def changes_kept(self, row: Any) -> int:
        return int(row.kept)

    @display(ordering="editor")
    def edited_by(self, row: Any) -> str:
        return str(row.editor or "")


site = OpenSite(name="admin")
site.register(Group, GroupAdmin)
urlpatterns = [path("admin/", site.urls), *urlpatterns]
