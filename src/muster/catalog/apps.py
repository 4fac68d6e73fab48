"""The publisher's apps, add-ons, and the words definitions may use."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "muster.catalog"

    def ready(self) -> None:
        from muster.catalog.actions import save_organisation
        from muster.catalog.pages.overview import any_app, apps_part
        from muster.catalog.queries import organisation
        from muster.catalog.terms import DRAFT
        from muster.team import hooks
        from muster.web.drafts import restore_discarded
        from muster.web.hooks import FirstStep, OverviewPart, register_overview, register_page
        from muster.web.undo import register_undo

        register_undo(DRAFT, restore_discarded, scope="catalog:write")
        register_page(200, _("Apps"), _("Apps"), "catalog:apps", icon="apps", scope="catalog:read")
        register_overview(
            part=OverviewPart(10, "catalog/overview.html", apps_part),
            step=FirstStep(10, _("Add an app"), "catalog:new_app", "catalog:write", any_app),
        )
        hooks.organisation_saved.append(save_organisation)
        hooks.organisation_now.append(organisation)
