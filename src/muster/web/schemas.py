"""What the API answers about jobs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from ninja import Schema

from muster.web.queries import JobView


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
