"""What happens by itself: once a day, at night or as soon as a server runs again after one, or when a room says so."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from muster.kernel.clock import system_clock
from muster.web import hooks
from muster.web.actions import start_job
from muster.web.models import Job

# In the machine's own zone: few people work, and no zone's clocks jump over it twice.
NIGHT = time(3, 30)


def start_due_jobs(now: datetime | None = None) -> list[str]:
    """Starts every daily job that was not started since the last night began, and what else is due.

    Answers the kinds of the daily ones.
    """
    due = last_night((now or system_clock()).astimezone())
    kinds = {kind.key for kind in hooks.job_kinds.values() if kind.daily}
    done = set(Job.objects.filter(kind__in=kinds, created_at__gte=due).values_list("kind", flat=True))
    missing = sorted(kinds - done)
    for kind in missing:
        start_job(kind, {}, key="daily")
    for start in hooks.due_starters:
        start()
    return missing


def last_night(local: datetime) -> datetime:
    """The latest beginning of a night, at or before an instant of the machine's zone."""
    tonight = local.replace(hour=NIGHT.hour, minute=NIGHT.minute, second=0, microsecond=0)
    return tonight if tonight <= local else tonight - timedelta(days=1)
