"""Customer groups: segments and known user groups."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GroupsConfig(AppConfig):
    name = "muster.groups"

    def ready(self) -> None:
        from muster.catalog.hooks import words_in_use
        from muster.customers.hooks import (
            BelongingSource,
            TimelineSource,
            belonging_sources,
            data_changed,
            register_import_kind,
            register_personal_data,
            register_timeline,
        )
        from muster.groups import jobs
        from muster.groups.actions import undoing
        from muster.groups.actions.imports import MEMBERS
        from muster.groups.actions.privacy import PLACES
        from muster.groups.pages.customer import belongings, moments
        from muster.groups.pages.listing_rows import COLUMNS, TABLE
        from muster.groups.queries import groups
        from muster.groups.queries.attention import any_group, groups_in_trouble
        from muster.groups.queries.finding import find_groups
        from muster.groups.queries.sample import is_shown, look
        from muster.team.hooks import after_setup
        from muster.web import hooks
        from muster.web.columns import register_table
        from muster.web.drafts import restore_discarded
        from muster.web.undo import register_undo

        hooks.register_page(100, _("Engage"), _("Customer groups"), "groups:list", icon="users", scope="groups:read")
        hooks.register_finder(find_groups)
        register_undo(undoing.RENAMED, undoing.rename_back, scope="groups:write")
        register_undo(undoing.EXPOSED, undoing.expose_as_before, scope="groups:write")
        register_undo(undoing.ARCHIVED, undoing.restore_again, scope="groups:write")
        register_undo(undoing.DISCARDED, restore_discarded, scope="groups:write")
        register_undo(undoing.RESTORED, undoing.archive_again, scope="groups:write")
        register_undo(undoing.MANY_ARCHIVED, undoing.restore_all_again, scope="groups:write")
        register_undo(undoing.TAGGED, undoing.tag_as_before, scope="groups:write")
        register_table(TABLE, COLUMNS)
        hooks.register_overview(
            step=hooks.FirstStep(30, _("Create a group"), "groups:new_segment", "groups:write", any_group),
            attention=groups_in_trouble,
        )
        data_changed.append(jobs.refresh_soon)
        register_import_kind(MEMBERS)
        for place in PLACES:
            register_personal_data(place)
        belonging_sources.append(BelongingSource("members:read", belongings))
        register_timeline(TimelineSource("groups", _("Groups"), icon="users", scope="members:read", find=moments))
        words_in_use.append(groups.words_in_use)
        self._register_jobs()
        self._register_webhooks()
        hooks.register_notice(
            is_shown,
            _("Demo data: AdventureWorks, dates shifted. Nothing leaves this installation."),
            _("Remove"),
            "groups:sample",
        )
        after_setup[:] = ["groups:begin"]
        if look not in hooks.due_starters:
            hooks.due_starters.append(look)

    def _register_webhooks(self) -> None:
        from muster.groups.actions.announcing import ARCHIVED, DELETED, JOINED, LEFT, RESTORED, tell_news
        from muster.groups.queries.subjects import groups_to_tell_of
        from muster.webhooks import hooks

        # Whoever is told of members could as well list them.
        for key, label in ((JOINED, _("Customers joined a group")), (LEFT, _("Customers left a group"))):
            hooks.register_event(hooks.EventKind(key, label, "members:read", groups_to_tell_of))
        lives = (
            (ARCHIVED, _("A group was archived")),
            (RESTORED, _("A group was restored")),
            (DELETED, _("A group was deleted")),
        )
        for key, label in lives:
            hooks.register_event(hooks.EventKind(key, label, "groups:read", groups_to_tell_of))
        if tell_news not in hooks.gatherers:
            hooks.gatherers.append(tell_news)

    def _register_jobs(self) -> None:
        from muster.groups import jobs
        from muster.groups.actions.sample import REMOVAL
        from muster.groups.queries.sample import LOADING
        from muster.groups.sample.loading import load_sample
        from muster.groups.sample.past import PAST, remember_past
        from muster.web import hooks

        hooks.register_job(
            "groups.refresh", jobs.refresh_all, scope="groups:write", unit="groups", label=_("Refresh of all segments")
        )
        hooks.register_job(
            "groups.refresh-nightly",
            jobs.refresh_nightly,
            scope="groups:write",
            unit="groups",
            daily=True,
            label=_("Nightly refresh of all segments"),
        )
        hooks.register_job(
            REMOVAL, jobs.remove_sample, scope="catalog:write", unit="steps", label=_("Removing the demo data")
        )
        hooks.register_job(LOADING, load_sample, scope="catalog:write", unit="steps", label=_("Loading the demo data"))
        hooks.register_job(
            PAST, remember_past, scope="catalog:write", unit="weeks", label=_("Working out the past of the demo data")
        )
        hooks.register_job(
            "groups.keep-memory",
            jobs.keep_memory,
            scope="groups:write",
            daily=True,
            label=_("Tidying what groups remember"),
        )
