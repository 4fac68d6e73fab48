"""The trail of who did what; lower rooms note in it through a hook."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "muster.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from muster.audit.actions import record
        from muster.web.hooks import register_recorder

        register_recorder(record)
