"""The publisher's apps, add-ons, and the words definitions may use."""

from __future__ import annotations

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "muster.catalog"

    def ready(self) -> None:
        from muster.catalog.actions import save_organisation
        from muster.catalog.queries import organisation
        from muster.team import hooks

        hooks.organisation_saved.append(save_organisation)
        hooks.organisation_now.append(organisation)
