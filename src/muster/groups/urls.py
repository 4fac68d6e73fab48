"""Addresses of the pages of groups."""

from __future__ import annotations

from django.urls import path

from muster.groups.pages import imports, known
from muster.groups.pages.group import show
from muster.groups.pages.listing import listing
from muster.groups.pages.manage import manage
from muster.groups.pages.why import why

app_name = "groups"
urlpatterns = [
    path("", listing, name="start"),
    path("groups/", listing, name="list"),
    path("groups/new/known/", known.new_known, name="new_known"),
    path("groups/<slug:key>/", show, name="group"),
    path("groups/<slug:key>/export", known.export, name="export"),
    path("groups/<slug:key>/manage/", manage, name="manage"),
    path("groups/<slug:key>/import/", imports.source, name="import_source"),
    path("groups/<slug:key>/imports/<slug:import_id>/", imports.dry_run, name="import"),
    path("groups/<slug:key>/imports/<slug:import_id>/columns/", imports.columns, name="import_columns"),
    path("groups/<slug:key>/imports/<slug:import_id>/apply/", imports.apply, name="import_apply"),
    path("groups/<slug:key>/imports/<slug:import_id>/cancel", imports.move, {"verb": "cancel"}, name="import_cancel"),
    path("groups/<slug:key>/imports/<slug:import_id>/undo", imports.move, {"verb": "undo"}, name="import_undo"),
    path("groups/<slug:key>/imports/<slug:import_id>/rows.csv", imports.rows_csv, name="import_rows"),
    path("why", why, name="why"),
]
