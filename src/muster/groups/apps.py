"""The room's entry in Django's list."""

from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "muster.groups"
    label = "groups"
    default_auto_field = "django.db.models.BigAutoField"
