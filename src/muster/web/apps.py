"""The room of pages, doors and jobs: what every other room with tables stands on."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    name = "muster.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from muster.web.hooks import OverviewPart, register_overview, register_page
        from muster.web.overview import failed_jobs, running_jobs

        register_page(0, "", _("Overview"), "web:overview", icon="layout-dashboard", scope="")
        register_overview(part=OverviewPart(20, "web/overview_jobs.html", running_jobs), attention=failed_jobs)
        register_page(910, _("Settings"), _("Jobs"), "web:jobs", icon="refresh", scope="jobs:read")
