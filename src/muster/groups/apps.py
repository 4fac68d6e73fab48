"""Customer groups: segments now, known user groups next."""

from __future__ import annotations

from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "muster.groups"

    def ready(self) -> None:
        from muster.customers.hooks import data_changed
        from muster.groups import jobs
        from muster.web import hooks

        data_changed.append(jobs.refresh_soon)
        hooks.register_job("groups.refresh", jobs.refresh_all, scope="groups:write", unit="groups")
