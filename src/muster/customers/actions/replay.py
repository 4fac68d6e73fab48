"""Takes once more what was refused, after its cause was mended: each item once, with the meaning it had (E-14)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.customers import hooks
from muster.customers.actions.facts import announce_change
from muster.customers.actions.judging import DRAIN_FAILED, catalog_with, sort_in, translated
from muster.customers.hooks import current_warehouse
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.room import disk_full
from muster.team.policies import Principal
from muster.warehouse.batch import Outcome
from muster.warehouse.items import Item
from muster.warehouse.messages.telling import request_of
from muster.warehouse.messages.translation import Received
from muster.warehouse.refused import Asked, Refused
from muster.web.actions import start_job
from muster.web.hooks import RunningJob
from muster.web.queries import JobView

logger = logging.getLogger("muster.drain")

REPLAY = "customers.replay"
MOST_AT_ONCE = 5_000
"""Of a chunk, which is one transaction of the warehouse."""


def order_replay(actor: Principal, asked: Asked) -> JobView:
    """The job that takes once more what is refused by now; what is refused from now on is left to the next one."""
    parameters = {
        "app": asked.app,
        "code": asked.code,
        "numbers": None if asked.numbers is None else list(asked.numbers),
        "last": current_warehouse().last_refused(),
    }
    with transaction.atomic():
        job = start_job(REPLAY, parameters)
        told = {"app": asked.app, "code": asked.code, "count": asked.numbers and len(asked.numbers)}
        record(actor, "rejects.replayed", "job", job.id, {name: value for name, value in told.items() if value})
    return job


def replay(job: RunningJob) -> dict[str, Any]:
    """Items by what became of them. Whatever a chunk takes has left the rejects, or has a greater number than the job
    asks for: a crash repeats nothing, and only what came after it is counted then."""
    said = job.parameters
    numbers = said["numbers"]
    asked = Asked(app=said["app"], code=said["code"], numbers=None if numbers is None else tuple(numbers))
    after, done = 0, 0
    counts: Counter[str] = Counter()
    while chunk := current_warehouse().refused_to_replay(asked, after, said["last"], MOST_AT_ONCE):
        found = _take(chunk)
        if found is None:
            # One of them was erased, or grew too old, between the look and the grasp.
            continue
        after = chunk[-1].number
        counts.update(found)
        done += len(chunk)
        job.progress(done)
        job.check()
    return {"replayed": done, "counts": dict(counts)}


def _take(chunk: Sequence[Refused]) -> Mapping[str, int] | None:
    """How many became what; None if one of them is gone. What cannot be drained stays, and the rest is taken (E-20)."""
    try:
        outcome = take_once_more(chunk)
    except Exception as error:
        if isinstance(error, MusterError) or disk_full(error) is not None:
            raise
        if len(chunk) == 1:
            logger.exception("what was refused as %d could not be replayed", chunk[0].number)
            return {DRAIN_FAILED: 1}
        middle = len(chunk) // 2
        halves = [_take(chunk[:middle]), _take(chunk[middle:])]
        # Of what is gone nothing is to be told.
        return sum((Counter(half or {}) for half in halves), Counter())
    return None if outcome is None else outcome.counts


def take_once_more(chunk: Sequence[Refused]) -> Outcome | None:
    """Judges them as if they arrived, and puts what comes of it in their place; None if one of them is gone."""
    read: list[Received] = []
    items: list[Item] = []
    told: dict[str, str] = {}
    for one in chunk:
        request, envelope = request_of(one)
        told[envelope.place] = request.told()
        sort_in((one.item or "").encode(), request.kind, request.call, envelope, one.nth, read, items)
    catalog = catalog_with(read)
    items += [translated(received, catalog) for received in read]
    numbers = [one.number for one in chunk]
    outcome = current_warehouse().replay(numbers, items, system_clock(), catalog, told.__getitem__)
    if outcome is not None:
        for tell in hooks.identities_changed:
            tell(outcome.identities, outcome.merges)
        announce_change(outcome.touched)
    return outcome
