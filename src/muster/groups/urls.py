"""Addresses of the pages of groups."""

from __future__ import annotations

from django.urls import path, re_path

from muster.groups.pages import group
from muster.groups.pages.listing import copy, show_list
from muster.groups.pages.why import why

app_name = "groups"
urlpatterns = [
    path("", show_list, name="start"),
    path("groups/", show_list, name="list"),
    path("groups/copy-template", copy, name="copy_template"),
    path("groups/<slug:key>/", group.show, name="group"),
    re_path(rf"^groups/(?P<key>[-\w]+)/(?P<tab>{'|'.join(group.TABS)})/$", group.tab, name="group_tab"),
    re_path(r"^groups/(?P<key>[-\w]+)/(?P<verb>activate|refresh|retry|restore)$", group.change, name="change_group"),
    path("why", why, name="why"),
]
