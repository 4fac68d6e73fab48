"""Customers: who they are, what is known of them, and how it came in."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "muster.customers"
    label = "customers"

    def ready(self) -> None:
        from muster.catalog.hooks import publisher_changing
        from muster.customers import actions, jobs
        from muster.web import hooks

        hooks.register_job(
            "customers.check", jobs.check_import, scope="customers:write", unit="rows", label=_("Dry run of an import")
        )
        hooks.register_job(
            "customers.apply", jobs.apply_import, scope="customers:write", unit="items", label=_("Import")
        )
        hooks.register_job(
            "customers.undo", jobs.undo_import, scope="customers:write", unit="items", label=_("Undoing an import")
        )
        hooks.register_job(
            "customers.derive", jobs.derive_all, scope="customers:write", label=_("Deriving all facts again")
        )
        publisher_changing.append(actions.follow_publisher)
