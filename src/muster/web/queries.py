"""Jobs as other rooms, pages and programs see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from muster.kernel.clock import system_clock
from muster.kernel.paging import instant_and_id
from muster.kernel.worded import worded
from muster.web.errors import NotFound
from muster.web.hooks import job_kinds
from muster.web.models import Job, JobState

# Before this the rate says nothing yet (D-36).
_SECONDS_BEFORE_ESTIMATE = 5


@dataclass(frozen=True)
class JobSubject:
    kind: str
    id: str


@dataclass(frozen=True)
class JobView:
    """One job. `error` is (code, sentence) of a failed one; `result` what a done one found."""

    id: str
    kind: str
    state: str
    done: int
    total: int | None
    unit: str
    text: str
    seconds_left: int | None
    waiting_behind: int
    subject: JobSubject | None
    result: dict[str, Any] | None
    error: tuple[str, str] | None
    wish: str
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    # When it last said how far it is.
    heartbeat_at: datetime | None = None

    @property
    def label(self) -> str:
        """What people read, in their language."""
        kind = job_kinds.get(self.kind)
        return str(kind.label) if kind and kind.label else self.kind

    @property
    def is_over(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def job_view(job_id: str) -> JobView:
    """`not_found` if there is none."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NotFound(worded("There is no job {job}.", job=job_id), code="job_unknown")
    return view_of(job)


def jobs_page(state: str | None, before: Any, limit: int) -> list[JobView]:
    """Newest first; `before`: created_at (ISO) and id of the last one seen, as a cursor says them."""
    jobs = Job.objects.order_by("-created_at", "-id")
    if state:
        jobs = jobs.filter(state=state)
    if before is not None:
        created_at, identifier = instant_and_id(before)
        jobs = jobs.filter(created_at__lte=created_at).exclude(created_at=created_at, id__gte=identifier)
    return [view_of(job) for job in jobs[:limit]]


def job_counts() -> dict[str, int]:
    """How many jobs there are in each state, also in those without any."""
    counted = dict(Job.objects.values_list("state").annotate(count=Count("id")).order_by())
    return {state: counted.get(state, 0) for state in JobState.values}


def jobs_about(subject_kind: str, subject_id: str, limit: int = 10) -> list[JobView]:
    """The newest jobs about one thing, newest first."""
    jobs = Job.objects.filter(subject_kind=subject_kind, subject_id=subject_id).order_by("-created_at", "-id")
    return [view_of(job) for job in jobs[:limit]]


def view_of(job: Job) -> JobView:
    kind = job_kinds.get(job.kind)
    return JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        done=job.done,
        total=job.total,
        unit=kind.unit if kind else "",
        text=job.text,
        seconds_left=_seconds_left(job),
        waiting_behind=_waiting_behind(job),
        subject=JobSubject(job.subject_kind, job.subject_id) if job.subject_kind else None,
        result=job.result,
        error=(job.error_code, job.error_text) if job.error_code else None,
        wish=job.wish,
        attempts=job.attempts,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        heartbeat_at=job.heartbeat_at,
    )


def _waiting_behind(job: Job) -> int:
    if job.state != JobState.WAITING:
        return 0
    ahead = Job.objects.filter(state__in=(JobState.WAITING, JobState.RUNNING), created_at__lt=job.created_at)
    return ahead.count()


def _seconds_left(job: Job) -> int | None:
    if job.state != JobState.RUNNING or not job.total or not job.done or job.started_at is None:
        return None
    passed = (system_clock() - job.started_at).total_seconds()
    if passed < _SECONDS_BEFORE_ESTIMATE:
        return None
    return round(passed / job.done * max(job.total - job.done, 0))
