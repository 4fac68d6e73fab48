"""Addresses of the pages of apps."""

from __future__ import annotations

from django.urls import path

from muster.catalog.pages import add_ons, apps, keys, token_keys, vocabulary

app_name = "catalog"
urlpatterns = [
    path("apps/", apps.show_list, name="apps"),
    path("apps/new", apps.new_app, name="new_app"),
    path("apps/<slug:key>/", apps.show_app, name="app"),
    path("apps/<slug:key>/edit/", apps.edit_app, name="edit_app"),
    path("apps/<slug:key>/add-ons/", add_ons.show_add_ons, name="add_ons"),
    path("apps/<slug:key>/add-ons/<slug:add_on_id>/retire", add_ons.retire, name="retire_add_on"),
    path("apps/<slug:key>/keys/", keys.show_keys, name="keys"),
    path("apps/<slug:key>/keys/new", keys.new_key, name="new_key"),
    path("apps/<slug:key>/keys/tokens/new", token_keys.new_token_key, name="new_token_key"),
    path("apps/<slug:key>/keys/tokens/<str:key_id>/", token_keys.show_token_key, name="token_key"),
    path("apps/<slug:key>/keys/<slug:key_id>/", keys.show_key, name="key"),
    path("apps/<slug:key>/events/", vocabulary.show_words, name="words"),
    path("apps/<slug:key>/events/new", vocabulary.new_event, name="new_event"),
    path("apps/<slug:key>/attributes/new", vocabulary.new_attribute, name="new_attribute"),
    path("apps/<slug:key>/attributes/<str:attribute>/", vocabulary.edit_attribute, name="edit_attribute"),
]
