"""Backups as jobs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from muster.audit.actions import record
from muster.customers.hooks import current_warehouse
from muster.kernel.clock import system_clock
from muster.team.policies import Principal
from muster.web.actions import start_job
from muster.web.hooks import RunningJob
from muster.web.queries import JobView
from muster.wiring.operation.backup import age_out, make_backup

BACK_UP, KEEP = "installation.backup", "installation.keep-backups"


def order_backup(actor: Principal) -> JobView:
    """The job that makes one; the one that waits, if one does."""
    with transaction.atomic():
        job = start_job(BACK_UP, {}, key="backup")
        record(actor, "backup.begun", "job", job.id)
    return job


def back_up(job: RunningJob) -> dict[str, Any]:
    """One backup. Repeated from the start after a crash."""

    def progress(done: int, total: int) -> None:
        job.progress(done, total)
        job.check()

    made = make_backup(settings.MUSTER, current_warehouse(), progress)
    path = settings.MUSTER.backup_directory / made.name
    return {
        "file": made.name,
        "path": str(path),
        "bytes": made.bytes,
        "created_at": made.created_at.isoformat(),
        "missing": list(made.missing),
    }


def keep_backups(_job: RunningJob) -> dict[str, Any]:
    """Once a day: removes what is older than `backup_days`, and starts the night's backup if there is to be one."""
    gone = age_out(settings.MUSTER, system_clock())
    if settings.MUSTER.nightly_backup:
        start_job(BACK_UP, {}, key="backup")
    return {"removed": gone}
