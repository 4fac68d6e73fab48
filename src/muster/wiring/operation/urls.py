"""Addresses of the pages about the installation itself."""

from __future__ import annotations

from django.urls import path

from muster.wiring.operation import pages

app_name = "operation"
urlpatterns = [
    path("settings/system/", pages.system, name="system"),
    path("settings/system/back-up", pages.back_up, name="back_up"),
]
