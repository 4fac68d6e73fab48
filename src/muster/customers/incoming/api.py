"""REST: what was refused, and taking it once more (customers spec, section 12; E-14)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from ninja.responses import Status

from muster.catalog.queries import app_number
from muster.customers.actions.replay import order_replay
from muster.customers.incoming import queries, schemas
from muster.kernel.worded import worded
from muster.team.api import permitted
from muster.team.policies import can
from muster.warehouse.refused import Asked
from muster.web.errors import RequestInvalid
from muster.web.paging import DEFAULT_LIMIT, Limit, Page, read_page
from muster.web.schemas import Instant, job_out

router = Router(tags=["incoming"])


@router.get("/rejects", response=Page[schemas.RefusedOut], operation_id="list_rejects")
def list_rejects(
    request: HttpRequest,
    app: str | None = None,
    code: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    cursor: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """What was refused in the last 7 days, newest first. `until` is not included."""
    principal = permitted(request, "customers:read")
    asked = _asked(app, code, since, until)
    found, following = read_page(
        cursor,
        limit,
        lambda before, count: queries.refused(asked, before, count, personal=can(principal, "customers:personal")),
        lambda one: one.number,
    )
    return {"items": [vars(one) for one in found], "next_cursor": following}


@router.get("/rejects/verdicts", response=schemas.VerdictList, operation_id="count_rejects")
def count_rejects(
    request: HttpRequest,
    app: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> Any:
    """How many there are of each verdict in each app, the most frequent first."""
    permitted(request, "customers:read")
    return {"items": [vars(one) for one in queries.verdict_counts(_asked(app, None, since, until))]}


@router.post("/rejects/replay", response={202: schemas.ReplayBegun}, operation_id="replay_rejects")
def replay_rejects(request: HttpRequest, body: schemas.ReplayIn) -> Any:
    """Takes once more, as a job, what can be; each item once. What is refused again has a new number and verdict."""
    principal = permitted(request, "customers:write")
    numbers = None if body.numbers is None else tuple(body.numbers)
    asked = Asked(app=_number(body.app), code=body.code, numbers=numbers)
    return Status(202, {"job": job_out(order_replay(principal, asked))})


def _asked(app: str | None, code: str | None, since: datetime | None, until: datetime | None) -> Asked:
    for name, instant in (("since", since), ("until", until)):
        if instant is not None and timezone.is_naive(instant):
            raise RequestInvalid(worded("`{name}` needs a zone: 2026-11-21T00:00:00Z.", name=name))
    return Asked(app=_number(app), code=code, since=since, until=until)


def _number(app: str | None) -> int | None:
    """`app_unknown` if there is none of this key."""
    return None if app is None else app_number(app)
