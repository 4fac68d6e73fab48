"""Work on groups that outlives a request."""

from __future__ import annotations

from typing import Any

from muster.groups.actions.lists import rematch_known, sweep_lists
from muster.groups.actions.membership import refresh_groups
from muster.groups.actions.memory import coalesce, forget_old
from muster.groups.terms import Cause
from muster.kernel.clock import system_clock
from muster.web.actions import start_job
from muster.web.hooks import RunningJob

# A file younger than this may be of a list that is about to be pointed to.
_YOUNGEST_SECONDS = 3_600


def refresh_soon() -> None:
    """Data has changed: one refresh is enough however often this is called before it starts."""
    start_job("groups.refresh", {"cause": Cause.DATA}, key="data")


def refresh_nightly(job: RunningJob) -> dict[str, Any]:
    """What time alone has changed since the last refresh (G-15)."""
    return {"refreshed": refresh_groups(job.progress, Cause.TIME)}


def refresh_all(job: RunningJob) -> dict[str, Any]:
    """A full recompute of every segment. Repeating it after a crash only repeats work."""
    cause = Cause(job.parameters.get("cause", Cause.FULL))
    # Lists first: segments may refer to them.
    rematched = rematch_known(cause)
    return {"refreshed": refresh_groups(job.progress, cause), "rematched": rematched}


def keep_memory(_job: RunningJob) -> dict[str, Any]:
    """Coalesces what has aged and forgets what is older than 400 days; once a day."""
    now = system_clock()
    return {"coalesced": coalesce(now), "forgotten": forget_old(now), "lists": sweep_lists(_YOUNGEST_SECONDS)}
