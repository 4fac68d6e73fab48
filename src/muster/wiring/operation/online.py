"""What is said and done about the store that the edge answers from, by REST and as jobs (E-38, E-44)."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.customers.errors import CustomerUnknown
from muster.customers.queries import customer_key
from muster.groups.actions.publication import Publisher, current_publisher
from muster.groups.queries.exposure import exposed_groups
from muster.kernel.errors import InternalError
from muster.kernel.ids import customer_id
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.web.actions import start_job
from muster.web.hooks import RunningJob
from muster.web.queries import JobView

REBUILD, CHECK = "online.rebuild", "online.check"


def online_status() -> dict[str, Any]:
    return _publisher().status()


def check_online() -> dict[str, Any]:
    """`wrong`: customers who are published wrongly, by group; `identities` among them counts those too many or few."""
    return {"wrong": _publisher().check()}


def published_of(reference: str) -> dict[str, Any]:
    """The groups that the edge finds somebody in, whatever it may answer of them."""
    key = customer_key(reference)
    if key is None:
        raise CustomerUnknown(worded("There is no customer `{reference}`.", reference=reference))
    bits = _publisher().bits_of(key)
    groups = [
        {"key": one.key, "exposure": one.exposure, "guarded": one.guarded} for one in exposed_groups() if one.id in bits
    ]
    return {"customer": customer_id(key), "groups": groups}


def order_rebuild(actor: Principal) -> JobView:
    """The job that makes the store anew; the one that waits, if one does."""
    with transaction.atomic():
        job = start_job(REBUILD, {}, key="online")
        record(actor, "online.rebuilt", "job", job.id)
    return job


def rebuild(job: RunningJob) -> dict[str, Any]:
    """What is published goes on being answered until it is done. Repeated from the start after a crash."""

    def progress(done: int, total: int) -> None:
        job.progress(done, total)
        job.check()

    _publisher().rebuild(progress)
    return _publisher().status()


def check_daily(_job: RunningJob) -> dict[str, Any]:
    """Once a day, and mended where something is wrong: nobody should have to notice."""
    publisher = current_publisher()
    return {"wrong": publisher.repair() if publisher is not None else {}}


def _publisher() -> Publisher:
    publisher = current_publisher()
    if publisher is None:
        raise InternalError("nothing is published by this process")
    return publisher
