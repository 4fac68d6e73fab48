"""Addresses of the pages of webhooks."""

from __future__ import annotations

from django.urls import path

from muster.webhooks.pages import deliveries, manage, webhooks

app_name = "webhooks"
_ONE = "settings/webhooks/<slug:webhook_id>/"
urlpatterns = [
    path("settings/webhooks/", webhooks.show_list, name="list"),
    path("settings/webhooks/new/", webhooks.new_webhook, name="new"),
    path(_ONE, deliveries.show_webhook, name="webhook"),
    path(f"{_ONE}edit/", webhooks.edit_webhook, name="edit"),
    path(f"{_ONE}manage/", manage.manage, name="manage"),
    path(f"{_ONE}deliveries/<slug:delivery_id>/", deliveries.show_delivery, name="delivery"),
]
