"""Customers: who they are, what is known of them, and how it came in."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "muster.customers"
    label = "customers"

    def ready(self) -> None:
        from muster.catalog.hooks import (
            AppTab,
            app_figures,
            app_tabs,
            event_figures,
            key_uses,
            meaning_changed,
            publisher_changing,
            values_lost,
        )
        from muster.customers import jobs, queries
        from muster.customers.actions import facts, replay
        from muster.customers.hooks import after_restore, register_personal_data, register_timeline
        from muster.customers.incoming import queries as incoming_queries
        from muster.customers.people.queries.timeline import SOURCES
        from muster.customers.privacy import jobs as privacy
        from muster.customers.privacy.actions.erasures import apply_ledger, start_due_erasures
        from muster.customers.privacy.actions.places import PLACES
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
            replay.REPLAY,
            replay.replay,
            scope="customers:write",
            unit="items",
            label=_("Replay of what was refused"),
        )
        hooks.register_job(
            "customers.derive", jobs.derive_all, scope="customers:write", label=_("Deriving all facts again")
        )
        hooks.register_job(
            "customers.compact",
            jobs.compact,
            scope="team:admin",
            unit="customers",
            daily=True,
            label=_("Tidying the warehouse"),
        )
        hooks.register_page(
            300, _("Customers"), _("Customers"), "customers:find", icon="user-circle", scope="customers:read"
        )
        hooks.register_page(
            400,
            _("Settings"),
            _("Organisation"),
            "customers:settings_organisation",
            icon="building",
            scope="catalog:read",
        )
        hooks.register_page(
            450, _("Settings"), _("Privacy"), "customers:settings_privacy", icon="shield-lock", scope="customers:read"
        )
        hooks.register_overview(
            step=hooks.FirstStep(
                20, _("Bring in customers"), "customers:import_source", "customers:write", queries.any_customer
            )
        )
        incoming = AppTab("incoming", _("Incoming"), "customers:incoming", "customers:read")
        if incoming not in app_tabs:
            app_tabs.append(incoming)
        for source in SOURCES:
            register_timeline(source)
        publisher_changing.append(facts.follow_publisher)
        app_figures.append(queries.app_figures)
        event_figures.append(queries.event_figures)
        key_uses.append(incoming_queries.key_uses)
        values_lost.append(queries.values_lost)
        meaning_changed.append(facts.derive_again)
        hooks.register_job(
            "customers.erase", privacy.erase, scope="customers:erase", unit="places", label=_("Erasure of customers")
        )
        hooks.register_job(
            "customers.export", privacy.export, scope="customers:personal", label=_("Export of a customer’s data")
        )
        hooks.register_job(
            "customers.keep-times",
            privacy.keep_times,
            scope="team:admin",
            daily=True,
            label=_("Letting go of what is too old"),
        )
        hooks.register_job(
            "customers.overwrite",
            privacy.overwrite,
            scope="team:admin",
            daily=True,
            label=_("Overwriting what was deleted"),
        )
        if start_due_erasures not in hooks.due_starters:
            hooks.due_starters.append(start_due_erasures)
        if apply_ledger not in after_restore:
            after_restore.append(apply_ledger)
        for place in PLACES:
            register_personal_data(place)
