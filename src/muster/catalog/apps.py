"""The room's entry in Django's list."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "muster.catalog"
    label = "catalog"
    default_auto_field = "django.db.models.BigAutoField"
