"""Addresses of the pages of groups."""

from __future__ import annotations

from django.urls import path

from muster.groups import pages

app_name = "groups"
urlpatterns = [
    path("", pages.start, name="start"),
    path("why", pages.why, name="why"),
]
