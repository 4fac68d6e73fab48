"""The addresses of the audit trail's pages."""

from django.urls import path

from muster.audit import pages

app_name = "audit"
urlpatterns = [
    path("settings/audit/", pages.audit, name="audit"),
    path("settings/audit/audit.csv", pages.export, name="export"),
]
