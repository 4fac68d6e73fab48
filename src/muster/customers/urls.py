"""Addresses of the pages of customers."""

from __future__ import annotations

from django.urls import path, re_path

from muster.customers.incoming.pages import incoming
from muster.customers.pages import downloads, imports, judged, organisation
from muster.customers.people.pages import find, person, timeline
from muster.customers.privacy.pages import erasures, settings, suppressions
from muster.customers.privacy.pages import person as privacy

app_name = "customers"
urlpatterns = [
    path("customers/", find.show_find, name="find"),
    path("customers/imports/", imports.show_list, name="imports"),
    path("customers/imports/new/", imports.source, name="import_source"),
    path("customers/imports/<slug:import_id>/", judged.show_import, name="import"),
    path("customers/imports/<slug:import_id>/columns/", imports.columns, name="import_columns"),
    path("customers/imports/<slug:import_id>/apply", judged.apply, name="import_apply"),
    path("customers/imports/<slug:import_id>/rows.csv", downloads.rows_csv, name="import_rows"),
    re_path(r"^customers/imports/(?P<import_id>[-\w]+)/(?P<verb>pause|cancel|undo)$", judged.move, name="import_move"),
    path("customers/<slug:customer_id>/", person.show_person, name="customer"),
    path("customers/<slug:customer_id>/timeline/", timeline.show_timeline, name="timeline"),
    path("customers/<slug:customer_id>/privacy/", privacy.show_privacy, name="privacy"),
    path("customers/<slug:customer_id>/export", privacy.export, name="export"),
    path("customers/<slug:customer_id>/erase", privacy.erase, name="erase"),
    path("exports/<slug:export_id>/file", privacy.export_file, name="export_file"),
    path("settings/privacy/", settings.show_settings, name="settings_privacy"),
    path("settings/privacy/suppressions/", suppressions.show_list, name="suppressions"),
    path("settings/privacy/suppressions/<slug:suppression_id>/lift", suppressions.lift, name="lift_suppression"),
    path("settings/privacy/erasures/", erasures.show_list, name="erasures"),
    path("settings/privacy/erasures/<slug:erasure_id>/", erasures.show_erasure, name="erasure"),
    path("settings/privacy/erasures/<slug:erasure_id>/withdraw", erasures.withdraw, name="withdraw_erasure"),
    path("settings/privacy/erasures/<slug:erasure_id>/receipt", erasures.receipt, name="receipt"),
    path("apps/<slug:key>/incoming/", incoming.show_incoming, name="incoming"),
    path("settings/organisation/", organisation.show_organisation, name="settings_organisation"),
    path("settings/organisation/rates/", organisation.show_rates, name="rates"),
]
