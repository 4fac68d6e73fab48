"""Addresses of the pages of groups."""

from __future__ import annotations

from django.urls import path, re_path

from muster.groups.pages import group
from muster.groups.pages.listing import listing
from muster.groups.pages.why import why

app_name = "groups"
urlpatterns = [
    path("", listing, name="start"),
    path("groups/", listing, name="list"),
    path("groups/<slug:key>/", group.show, name="group"),
    re_path(rf"^groups/(?P<key>[-\w]+)/(?P<tab>{'|'.join(group.TABS)})/$", group.tab, name="group_tab"),
    re_path(r"^groups/(?P<key>[-\w]+)/(?P<verb>activate|refresh|retry|restore)$", group.change, name="change_group"),
    path("groups/<slug:key>/changes/<slug:number>/", group.show_change, name="group_change"),
    path("why", why, name="why"),
]
