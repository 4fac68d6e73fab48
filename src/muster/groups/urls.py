"""Addresses of the pages of groups."""

from __future__ import annotations

from django.urls import path

from muster.groups.pages.listing import listing
from muster.groups.pages.why import why

app_name = "groups"
urlpatterns = [
    path("", listing, name="start"),
    path("groups/", listing, name="list"),
    path("why", why, name="why"),
]
