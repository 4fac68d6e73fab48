"""Addresses of the pages of customers."""

from __future__ import annotations

from django.urls import path, re_path

from muster.customers.pages import downloads, imports
from muster.customers.people.pages import find, person, timeline

app_name = "customers"
urlpatterns = [
    path("customers/", find.show_find, name="find"),
    path("customers/imports/", imports.show_list, name="imports"),
    path("customers/imports/new/", imports.source, name="import_source"),
    path("customers/imports/<slug:import_id>/", imports.show_import, name="import"),
    path("customers/imports/<slug:import_id>/columns/", imports.columns, name="import_columns"),
    path("customers/imports/<slug:import_id>/apply", imports.apply, name="import_apply"),
    path("customers/imports/<slug:import_id>/rows.csv", downloads.rows_csv, name="import_rows"),
    re_path(
        r"^customers/imports/(?P<import_id>[-\w]+)/(?P<verb>pause|cancel|undo)$", imports.move, name="import_move"
    ),
    path("customers/<slug:customer_id>/", person.show_person, name="customer"),
    path("customers/<slug:customer_id>/timeline/", timeline.show_timeline, name="timeline"),
]
