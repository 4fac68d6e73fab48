"""Marking what the bundled sample brings, and removing exactly that (D-16)."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.catalog.actions import create_app
from muster.catalog.queries import AppSummary
from muster.customers.errors import ConfirmMismatch
from muster.customers.queries import import_row, job_of
from muster.groups.errors import InUse, StateNotAllowed
from muster.groups.models import SampleThing
from muster.groups.policies import users_of
from muster.groups.queries.groups import group_row
from muster.groups.queries.sample import Sample, is_loading, is_moving, last_loading, look, obstacles, sample
from muster.groups.terms import SAMPLE_NAME, SampleKind
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.web.actions import change_job, possible_wishes, start_job
from muster.web.errors import NotFound
from muster.web.queries import JobView

SCOPES = ("catalog:write", "customers:write", "groups:write")
REMOVAL = "groups.remove-sample"


@transaction.atomic
def create_sample_app(actor: Principal, key: str, name: dict[str, str]) -> AppSummary:
    """An app of the sample, marked as it is made: one that is there already is somebody's own (`key_taken`)."""
    made = create_app(actor, key=key, name=name)
    _mark(SampleKind.APP, key)
    return made


def mark_thing(kind: SampleKind, identifier: str) -> None:
    """An import before it is applied, a group once it is there."""
    _mark(kind, import_row(identifier).id if kind is SampleKind.IMPORT else group_row(identifier).id)


def _mark(kind: SampleKind, thing: str) -> None:
    SampleThing.objects.get_or_create(kind=kind, thing=thing)
    transaction.on_commit(look)


def check_removable(found: Sample) -> None:
    """Refused without a sample, while it moves (`state_not_allowed`), or while own things need it (`in_use`)."""
    if not (found.apps or found.groups or found.imports):
        raise NotFound("There is no demo data here.")
    if is_loading() or is_moving(found):
        raise StateNotAllowed("The demo data is still being loaded. Wait until that has ended.")
    own = obstacles(found)
    if own:
        raise InUse(
            worded(
                "The demo data cannot be removed: it is used by {users}. Delete or undo that first.",
                users=users_of(own),
            ),
            details={"used_by": [vars(use) for use in own]},
        )


def order_removal(actor: Principal, confirm: str) -> JobView:
    """Starts the job that removes the sample; `confirm` is its name, typed by whoever means it."""
    if unicodedata.normalize("NFC", confirm).strip() != SAMPLE_NAME:
        raise ConfirmMismatch(worded("It is “{name}” now; type that.", name=SAMPLE_NAME), pointer="/confirm")
    found = sample()
    check_removable(found)
    _stop_jobs(actor, found)
    with transaction.atomic():
        record(actor, "sample.removed", "sample", SAMPLE_NAME, counts(found))
        return start_job(REMOVAL, {}, key=SAMPLE_NAME)


def _stop_jobs(actor: Principal, found: Sample) -> None:
    """What is paused would otherwise wait for ever."""
    jobs = [job_of(row) for row in found.imports]
    for job in (*jobs, last_loading()):
        if job is not None and "cancel" in possible_wishes(job.state):
            change_job(actor, job.id, "cancel")


def counts(found: Sample) -> dict[str, Any]:
    return {"apps": len(found.apps), "groups": len(found.groups), "imports": len(found.imports)}


def forget_marks(kind: SampleKind, things: list[str]) -> None:
    """Of what is removed."""
    SampleThing.objects.filter(kind=kind, thing__in=things).delete()
    look()
