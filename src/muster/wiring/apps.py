"""What concerns the installation as a whole: its backups, and the page that says how it does."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WiringConfig(AppConfig):
    name = "muster.wiring"
    label = "wiring"

    def ready(self) -> None:
        from muster.web.hooks import register_job, register_page
        from muster.wiring.operation import jobs, online, spool

        self.tell_rooms()
        register_job(jobs.BACK_UP, jobs.back_up, unit="bytes", label=_("Backup"))
        register_job(online.REBUILD, online.rebuild, unit="steps", label=_("Making anew what the edge answers from"))
        register_job(online.CHECK, online.check_daily, daily=True, label=_("Check of what the edge answers from"))
        register_job(spool.RECOVER, spool.recover_files, label=_("Recovery of damaged files of the spool"))
        register_job(spool.TIDY, spool.tidy, daily=True, label=_("Tidying of the spool"))
        register_page(960, _("Settings"), _("System"), "operation:system", icon="server", scope="team:admin")
        register_job(jobs.KEEP, jobs.keep_backups, daily=True, label=_("Tidying of backups"))

    def tell_rooms(self) -> None:
        """What the configuration says and rooms must know."""
        from django.conf import settings

        from muster.catalog.hooks import provide_edge_address
        from muster.webhooks.hooks import open_networks

        provide_edge_address(settings.MUSTER.edge_address)
        open_networks(settings.MUSTER.webhook_networks)
