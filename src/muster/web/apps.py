"""The room of pages, doors and jobs: what every other room with tables stands on."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "muster.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
