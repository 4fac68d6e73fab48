"""Work on groups that outlives a request."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from pyroaring import BitMap

from muster.catalog.actions import delete_app
from muster.catalog.queries import app_numbers, warehouse_catalog
from muster.customers.actions.facts import announce_change
from muster.customers.hooks import current_warehouse
from muster.customers.jobs import take_out
from muster.groups.actions.announcing import DELETED, announce_life
from muster.groups.actions.following import Follower, check_agreement, current_follower
from muster.groups.actions.generations import all_left
from muster.groups.actions.lists import rematch_known, sweep_lists
from muster.groups.actions.membership import refresh_groups
from muster.groups.actions.memory import coalesce, forget_old, keep_snapshots
from muster.groups.actions.sample import check_removable, forget_marks
from muster.groups.hooks import announce, announce_exposure
from muster.groups.models import SampleThing
from muster.groups.queries.evaluation import stored_members
from muster.groups.queries.sample import look, sample
from muster.groups.terms import Cause, SampleKind, State
from muster.kernel.clock import system_clock
from muster.team.policies import LOCAL
from muster.web.actions import start_job
from muster.web.hooks import RunningJob

logger = logging.getLogger("muster.following")

# A file younger than this may be of a list that is about to be pointed to.
_YOUNGEST_SECONDS = 3_600


def refresh_soon(touched: BitMap | None = None) -> None:
    """Data has changed. Where somebody follows, and few were touched, groups have followed when this returns;
    otherwise one refresh is enough however often this is called before it starts.
    """
    follower = current_follower()
    if follower is None or touched is None or not follower.takes(touched):
        start_job("groups.refresh", {"cause": Cause.DATA}, key="data")
        return
    transaction.on_commit(lambda: _follow(follower, touched))


def _follow(follower: Follower, touched: BitMap) -> None:
    try:
        follower.follow(touched)
    except Exception:
        # What was told is done; the follower takes them up again with its next cycle.
        logger.exception("groups could not follow %d customers; it is tried again", len(touched))


def refresh_nightly(job: RunningJob) -> dict[str, Any]:
    """Whether following and evaluating everybody agree; and what time alone has changed where nobody follows (G-15)."""
    follower = current_follower()
    disagreements = check_agreement(follower) if follower is not None else 0
    return {"refreshed": refresh_groups(job.progress, Cause.TIME), "disagreements": disagreements}


def refresh_all(job: RunningJob) -> dict[str, Any]:
    """A full recompute of every segment. Repeating it after a crash only repeats work."""
    cause = Cause(job.parameters.get("cause", Cause.FULL))
    # Lists first: segments may refer to them.
    rematched = rematch_known(cause)
    return {"refreshed": refresh_groups(job.progress, cause), "rematched": rematched}


def keep_memory(_job: RunningJob) -> dict[str, Any]:
    """Coalesces what has aged and forgets what is older than 400 days; once a day."""
    now = system_clock()
    keep_snapshots(stored_members)
    return {"coalesced": coalesce(now), "forgotten": forget_old(now), "lists": sweep_lists(_YOUNGEST_SECONDS)}


def remove_sample(job: RunningJob) -> dict[str, Any]:
    """Groups first, then what imports brought, then the apps: each step may be repeated after a crash."""
    found = sample()
    check_removable(found)
    steps = len(found.groups) + len(found.imports) + len(found.apps)
    with transaction.atomic():
        announce({row.id: all_left(row) for row in found.groups if row.state != State.ARCHIVED})
        for row in found.groups:
            announce_life(row, DELETED)
            row.delete()
        forget_marks(SampleKind.GROUP, [row.id for row in found.groups])
        announce_exposure()
    done = len(found.groups)
    for one in found.imports:
        job.progress(done, steps, one.file_name)
        job.check()
        take_out(one.id)
        forget_marks(SampleKind.IMPORT, [one.id])
        done += 1
    numbers = app_numbers()
    for key in found.apps:
        if key in numbers:
            current_warehouse().forget_app(numbers[key], warehouse_catalog())
        delete_app(LOCAL, key)
        forget_marks(SampleKind.APP, [key])
    SampleThing.objects.all().delete()
    look()
    announce_change()
    job.progress(steps, steps)
    return {"groups": len(found.groups), "imports": len(found.imports), "apps": len(found.apps)}
