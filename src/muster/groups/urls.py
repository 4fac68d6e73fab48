"""Addresses of the pages of groups."""

from __future__ import annotations

from django.urls import path

from muster.groups.pages.group import show
from muster.groups.pages.listing import copy, show_list
from muster.groups.pages.why import why

app_name = "groups"
urlpatterns = [
    path("", show_list, name="start"),
    path("groups/", show_list, name="list"),
    path("groups/copy-template", copy, name="copy_template"),
    path("groups/<slug:key>/", show, name="show"),
    path("why", why, name="why"),
]
