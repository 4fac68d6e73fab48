"""The API's paths about the installation itself."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.responses import Status

from muster.team.api import permitted
from muster.web.schemas import JobOut, job_out
from muster.wiring.operation.backup import backups
from muster.wiring.operation.check import examined
from muster.wiring.operation.checks import examine
from muster.wiring.operation.jobs import order_backup

router = Router(tags=["installation"])


class BackupOut(Schema):
    """`made`: asked (by a person or at night) or upgrade (before one)."""

    name: str
    made: str
    created_at: datetime
    bytes: int


class BackupList(Schema):
    items: list[BackupOut]
    next_cursor: str | None = None


class BackupBegun(Schema):
    job: JobOut


class CheckOut(Schema):
    """`state`: ok, warning or failed."""

    key: str
    state: str
    place: str
    message: str
    remedy: str


class Examined(Schema):
    """`failed`: whether any check did."""

    failed: bool
    checks: list[CheckOut]


@router.get("/doctor", response=Examined, operation_id="examine")
def doctor(request: HttpRequest) -> dict[str, Any]:
    """Looks at everything the installation needs; reads every file that groups point to."""
    permitted(request, "team:admin")
    return examined(examine(settings.MUSTER, inside=True))


@router.get("/backups", response=BackupList, operation_id="list_backups")
def list_backups(request: HttpRequest) -> dict[str, Any]:
    """Newest first; those that lie in the installation's own folder."""
    permitted(request, "team:admin")
    return {"items": [asdict(backup) for backup in backups(settings.MUSTER.backup_directory)]}


@router.post("/backups", response={202: BackupBegun}, operation_id="create_backup")
def create_backup(request: HttpRequest) -> Status[Any]:
    """A backup of everything, as a job; its result names the file. Work goes on meanwhile."""
    return Status(202, {"job": job_out(order_backup(permitted(request, "team:admin")))})
