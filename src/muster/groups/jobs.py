"""Work on groups that outlives a request."""

from __future__ import annotations

from typing import Any

from muster.groups.actions import refresh_groups
from muster.web.actions import start_job
from muster.web.hooks import RunningJob


def refresh_soon() -> None:
    """Data has changed: one refresh is enough however often this is called before it starts."""
    start_job("groups.refresh", {}, key="all")


def refresh_all(job: RunningJob) -> dict[str, Any]:
    """A full recompute of every segment. Repeating it after a crash only repeats work."""
    return {"refreshed": refresh_groups(job.progress)}
