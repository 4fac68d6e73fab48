"""The API's paths about jobs."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router

from muster.web.actions import change_job
from muster.web.hooks import check_scope, identify
from muster.web.paging import DEFAULT_LIMIT, Limit, Page, read_page
from muster.web.queries import job_view, jobs_page
from muster.web.schemas import JobOut, job_out

router = Router(tags=["jobs"])

State = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]


@router.get("/jobs", response=Page[JobOut], operation_id="list_jobs")
def list_jobs(
    request: HttpRequest, state: State | None = None, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT
) -> dict[str, Any]:
    """Newest first."""
    check_scope(identify(request), "jobs:read")
    jobs, following = read_page(
        cursor,
        limit,
        lambda before, count: jobs_page(state, before, count),
        lambda job: [job.created_at.isoformat(), job.id],
    )
    return {"items": [job_out(job) for job in jobs], "next_cursor": following}


@router.get("/jobs/{job_id}", response=JobOut, operation_id="show_job")
def show_job(request: HttpRequest, job_id: str) -> dict[str, Any]:
    check_scope(identify(request), "jobs:read")
    return job_out(job_view(job_id))


@router.post("/jobs/{job_id}/{wish}", response=JobOut, operation_id="change_job")
def post_change(
    request: HttpRequest, job_id: str, wish: Literal["cancel", "pause", "resume", "retry"]
) -> dict[str, Any]:
    """A running job cancels or pauses at its next step."""
    asker = identify(request)
    assert asker is not None
    return job_out(change_job(asker, job_id, wish))
