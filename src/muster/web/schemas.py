"""What the APIs of several rooms share: instants, jobs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator

from muster.web.queries import JobView

_FIRST_YEAR, _LAST_YEAR = 1970, 8999


def _within_years(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"a year from {_FIRST_YEAR} to {_LAST_YEAR} is needed")
    return at


Instant = Annotated[datetime, AfterValidator(_within_years)]
"""As somebody asks for it: far enough from where calendars end to be moved by a zone or a window."""


class SubjectOut(Schema):
    kind: str
    id: str


class JobErrorOut(Schema):
    code: str
    message: str


class JobOut(Schema):
    """`total` and `seconds_left` are empty while unknown; `wish`: what a running job was asked to do."""

    id: str
    kind: str
    state: str
    done: int
    total: int | None
    unit: str
    text: str
    seconds_left: int | None
    waiting_behind: int
    subject: SubjectOut | None
    result: dict[str, Any] | None
    error: JobErrorOut | None
    wish: str
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def job_out(job: JobView) -> dict[str, Any]:
    """A job as `JobOut` reads it; other rooms embed it in their answers."""
    error = {"code": job.error[0], "message": job.error[1]} if job.error else None
    return {**asdict(job), "error": error}
