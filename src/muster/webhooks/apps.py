"""Outgoing webhooks of all rooms."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "muster.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from muster.web.hooks import register_job, register_overview, register_page
        from muster.webhooks import jobs
        from muster.webhooks.queries.attention import webhooks_in_trouble

        register_page(908, _("Settings"), _("Webhooks"), "webhooks:list", icon="webhook", scope="webhooks:read")
        register_overview(attention=webhooks_in_trouble)
        register_job("webhooks.keep", jobs.keep_deliveries, daily=True, label=_("Tidying of webhooks’ deliveries"))
