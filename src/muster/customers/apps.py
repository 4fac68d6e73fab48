"""The room's entry in Django's list."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "muster.customers"
    label = "customers"
    default_auto_field = "django.db.models.BigAutoField"
