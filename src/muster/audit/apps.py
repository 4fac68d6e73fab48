"""The trail of who did what; lower rooms note in it through a hook."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "muster.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from muster.audit.actions import record
        from muster.audit.pages import newest_part
        from muster.web.hooks import OverviewPart, register_overview, register_page, register_recorder

        register_recorder(record)
        register_overview(part=OverviewPart(30, "audit/overview.html", newest_part))
        register_page(940, _("Settings"), _("Audit"), "audit:audit", icon="history", scope="audit:read")
