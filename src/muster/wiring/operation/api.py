"""The API's paths about the installation itself."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status

from muster.team.api import permitted
from muster.team.policies import can
from muster.web.schemas import JobOut, job_out
from muster.wiring.operation import online, spool
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


class OnlineStatus(Schema):
    """`complete`: whether anything can be decided; `mask_bytes`: of each customer's groups."""

    complete: bool
    generation: int
    groups: int
    identities: int
    mask_bytes: int
    used_bytes: int
    data_as_of: datetime | None
    published_at: datetime | None
    heartbeat_at: datetime | None


class OnlineChecked(Schema):
    """By the key of a group how many customers are published wrongly; `identities`: names too many or too few."""

    wrong: dict[str, int]


class PublishedGroup(Schema):
    key: str
    exposure: str
    guarded: bool


class PublishedCustomer(Schema):
    """`guarded`: a claim that nobody vouches for makes nobody its member."""

    customer: str
    groups: list[PublishedGroup]


class RebuildBegun(Schema):
    job: JobOut


@router.get("/online", response=OnlineStatus, operation_id="online_status")
def show_online(request: HttpRequest) -> dict[str, Any]:
    """What the edge answers from."""
    permitted(request, "team:admin")
    return online.online_status()


@router.post("/online/check", response=OnlineChecked, operation_id="check_online")
def check_online(request: HttpRequest) -> dict[str, Any]:
    """Compares all of it with warehouse and groups."""
    permitted(request, "team:admin")
    return online.check_online()


@router.post("/online/rebuild", response={202: RebuildBegun}, operation_id="rebuild_online")
def rebuild_online(request: HttpRequest) -> Status[Any]:
    """Makes all of it anew, as a job; what there is goes on being answered from."""
    return Status(202, {"job": job_out(online.order_rebuild(permitted(request, "team:admin")))})


@router.get("/online/customers/{reference}", response=PublishedCustomer, operation_id="published_customer")
def show_published(request: HttpRequest, reference: str) -> dict[str, Any]:
    """The groups that the edge finds a customer in: of those that are published."""
    permitted(request, "members:read")
    return online.published_of(reference)


class SlotOut(Schema):
    """`held`: a process writes it. `drained`: up to this place the warehouse has it; the rest is what waits."""

    slot: int
    held: bool
    readable: bool
    bytes: int
    drained: int | None
    requests: int
    items: int
    body_bytes: int
    oldest_at: datetime | None


class SpoolStatus(Schema):
    """`set_aside`: damaged files that nobody has tried to read; `unreadable`: what was left of some, kept 30 days."""

    requests: int
    items: int
    oldest_at: datetime | None
    slots: list[SlotOut]
    set_aside: list[str]
    unreadable: list[str]


class SpooledOut(Schema):
    """`body`: its first 4 KiB, for who may see personal data."""

    position: str
    drained: bool
    received_at: datetime
    app: str | None
    key: str | None
    trust: str | None
    kind: str
    call: str | None
    items: int
    bytes: int
    body: str | None


class SpooledList(Schema):
    items: list[SpooledOut]
    next_cursor: str | None = None


class RecoveryBegun(Schema):
    job: JobOut


@router.get("/spool", response=SpoolStatus, operation_id="spool_status")
def show_spool(request: HttpRequest) -> dict[str, Any]:
    """What apps sent and the warehouse has not yet."""
    permitted(request, "team:admin")
    return spool.spool_status()


@router.get("/spool/requests", response=SpooledList, operation_id="spooled_requests")
def list_spooled(request: HttpRequest, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    """What lies there, newest first. Of what came through nothing is left to be shown but what was refused."""
    principal = permitted(request, "team:admin")
    return {"items": spool.newest_requests(limit, personal=can(principal, "customers:personal"))}


@router.post("/spool/recover", response={202: RecoveryBegun}, operation_id="recover_spool")
def recover_spool(request: HttpRequest) -> Status[Any]:
    """Looks for damaged files that nobody writes, and brings back what can be read of them, as a job."""
    return Status(202, {"job": job_out(spool.order_recovery(permitted(request, "team:admin")))})
