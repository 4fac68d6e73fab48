"""Work of privacy that outlives a request; each may be repeated after a crash."""

from __future__ import annotations

from typing import Any

from muster.customers.errors import ErasureIncomplete
from muster.customers.privacy.actions.erasures import run_erasure
from muster.customers.privacy.actions.exports import make_export
from muster.customers.privacy.actions.retention import let_go, scrub
from muster.customers.terms import ErasureState
from muster.kernel.worded import worded
from muster.web.hooks import RunningJob


def erase(job: RunningJob) -> dict[str, Any]:
    """Ends as failed while a place fails; the order stays and is tried again by itself."""
    view = run_erasure(job.parameters["erasure"], job.check)
    if view.state in (ErasureState.RUNNING, ErasureState.VERIFYING):
        failed = [key for key, told in view.places.items() if told["error"]]
        raise ErasureIncomplete(
            worded(
                "Erasure {id} is not done: {steps} failed. It is tried again at {retry_at} UTC.",
                id=view.id,
                steps=", ".join(failed),
                retry_at=f"{view.retry_at:%Y-%m-%d %H:%M}",
            )
        )
    return {"state": view.state, "customers": view.customer_count}


def export(job: RunningJob) -> dict[str, Any]:
    view = make_export(job.parameters["export"])
    return {"state": view.state, "bytes": view.bytes}


def keep_times(job: RunningJob) -> dict[str, Any]:
    """What is too old goes; once a day."""
    return let_go(job.check)


def overwrite(_job: RunningJob) -> dict[str, Any]:
    """What was deleted is overwritten; once a day."""
    return {"overwritten": scrub()}
