"""Addresses of the pages of groups."""

from __future__ import annotations

from django.urls import path, re_path

from muster.groups.pages import build, group, imports, known
from muster.groups.pages.chosen import compare, show_list
from muster.groups.pages.listing import copy, export
from muster.groups.pages.manage import manage
from muster.groups.pages.sample import begin, sample
from muster.groups.pages.values import values
from muster.groups.pages.why import why

app_name = "groups"
urlpatterns = [
    path("groups/", show_list, name="list"),
    path("groups/table.csv", export, name="list_csv"),
    path("groups/compare", compare, name="compare"),
    path("groups/copy-template", copy, name="copy_template"),
    path("groups/new/known/", known.new_known, name="new_known"),
    path("groups/new/values", values, name="values"),
    path("groups/new/segment/", build.new_segment, name="new_segment"),
    path("groups/<slug:key>/", group.show, name="group"),
    path("groups/<slug:key>/edit/", build.edit_segment, name="edit"),
    re_path(rf"^groups/(?P<key>[-\w]+)/(?P<tab>{'|'.join(group.TABS)})/$", group.tab, name="group_tab"),
    re_path(r"^groups/(?P<key>[-\w]+)/(?P<verb>activate|refresh|retry|restore)$", group.change, name="change_group"),
    path("groups/<slug:key>/export", known.export, name="export"),
    path("groups/<slug:key>/manage/", manage, name="manage"),
    path("groups/<slug:key>/import/", imports.source, name="import_source"),
    path("groups/<slug:key>/imports/<slug:import_id>/", imports.dry_run, name="import"),
    path("groups/<slug:key>/imports/<slug:import_id>/columns/", imports.columns, name="import_columns"),
    path("groups/<slug:key>/imports/<slug:import_id>/apply/", imports.apply, name="import_apply"),
    path("groups/<slug:key>/imports/<slug:import_id>/cancel", imports.move, {"verb": "cancel"}, name="import_cancel"),
    path("groups/<slug:key>/imports/<slug:import_id>/undo", imports.move, {"verb": "undo"}, name="import_undo"),
    path("groups/<slug:key>/imports/<slug:import_id>/rows.csv", imports.rows_csv, name="import_rows"),
    path("groups/<slug:key>/changes/<slug:number>/", group.show_change, name="group_change"),
    path("setup/begin/", begin, name="begin"),
    path("settings/demo/", sample, name="sample"),
    path("why", why, name="why"),
]
