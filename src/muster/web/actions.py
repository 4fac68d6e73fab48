"""Starting, stopping and continuing jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from muster.kernel.clock import system_clock
from muster.kernel.errors import InternalError
from muster.kernel.ids import new_id
from muster.kernel.worded import word, worded
from muster.web import hooks
from muster.web.errors import JobStateError, NotFound
from muster.web.models import IdempotentAnswer, Job, JobState
from muster.web.queries import JobView, view_of

# What each wish does in each state; a state that is absent refuses it.
_TRANSITIONS: dict[str, dict[str, JobState]] = {
    "cancel": dict.fromkeys((JobState.WAITING, JobState.PAUSED), JobState.CANCELLED),
    "pause": {JobState.WAITING: JobState.PAUSED},
    "resume": {JobState.PAUSED: JobState.WAITING},
    "retry": {JobState.FAILED: JobState.WAITING, JobState.CANCELLED: JobState.WAITING},
}
# As they stand in sentences.
_STATES = {
    JobState.WAITING: word("job", "waiting"),
    JobState.RUNNING: word("job", "running"),
    JobState.PAUSED: word("job", "paused"),
    JobState.DONE: word("job", "done"),
    JobState.FAILED: word("job", "failed"),
    JobState.CANCELLED: word("job", "cancelled"),
}
_WISHES = {
    "cancel": word("job", "cancel"),
    "pause": word("job", "pause"),
    "resume": word("job", "resume"),
    "retry": word("job", "retry"),
}


def start_job(
    kind: str,
    parameters: Mapping[str, Any],
    key: str | None = None,
    subject: tuple[str, str] | None = None,
) -> JobView:
    """Makes a job wait for the runner; it begins after the commit of the caller's transaction.

    `parameters`: a JSON object. `key`: if a job of this kind and key waits already, that one is answered (one that
    runs does not count: it may have read what has changed since). `subject`: kind and id of the thing it is about.
    """
    if kind not in hooks.job_kinds:
        raise InternalError(f"no room registered the job kind {kind!r}")
    with transaction.atomic():
        waiting = Job.objects.filter(kind=kind, key=key, state=JobState.WAITING).first() if key else None
        job = waiting or Job.objects.create(
            id=new_id("job"),
            kind=kind,
            key=key or "",
            subject_kind=subject[0] if subject else "",
            subject_id=subject[1] if subject else "",
            parameters=dict(parameters),
            created_at=system_clock(),
        )
        _announce(job)
    return view_of(job)


def change_job(actor: hooks.Asker, job_id: str, wish: str) -> JobView:
    """`wish`: cancel, pause, resume or retry. `job_unknown`, or `job_state` if its state does not allow it.

    A running job is told to cancel or pause and does so at its next step.
    """
    with transaction.atomic():
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            raise NotFound(worded("There is no job {job}.", job=job_id), code="job_unknown")
        kind = hooks.job_kinds.get(job.kind)
        hooks.check_scope(actor, kind.scope if kind else "team:admin")
        _apply(job, wish)
        hooks.record(actor, f"job.{wish}", "job", job.id, {"kind": job.kind})
    return view_of(job)


def possible_wishes(state: str) -> list[str]:
    """What a job in this state may be asked to do."""
    while_running = ("cancel", "pause") if state == JobState.RUNNING else ()
    return [wish for wish, states in _TRANSITIONS.items() if state in states or wish in while_running]


def _apply(job: Job, wish: str) -> None:
    state = JobState(job.state)
    if state is JobState.RUNNING and wish in possible_wishes(state):
        job.wish = wish
        job.save(update_fields=["wish"])
        return
    following = _TRANSITIONS[wish].get(state)
    if following is None:
        raise JobStateError(
            worded("The job is {state}; it cannot be asked to {wish} now.", state=_STATES[state], wish=_WISHES[wish])
        )
    if following is JobState.WAITING and _another_waits(job):
        raise JobStateError("The same job already waits to be run; let that one run.")
    job.state, job.wish, job.error_code, job.error_text = following, "", "", ""
    job.finished_at = system_clock() if following is JobState.CANCELLED else None
    job.attempts = 0
    job.save()
    if following is JobState.WAITING:
        _announce(job)


def _another_waits(job: Job) -> bool:
    return bool(job.key) and Job.objects.filter(kind=job.kind, key=job.key, state=JobState.WAITING).exists()


def _announce(job: Job) -> None:
    for listener in hooks.job_listeners:
        transaction.on_commit(lambda tell=listener: tell(job.id))  # type: ignore[misc]  # bound per listener


def forget_answers(texts: Iterable[str]) -> int:
    """Deletes the kept answers (see `idempotency`) that hold one of the texts; answers how many."""
    found = _answers_with(texts)
    IdempotentAnswer.objects.filter(pk__in=found).delete()
    return len(found)


def count_answers(texts: Iterable[str]) -> int:
    """How many kept answers hold one of the texts."""
    return len(_answers_with(texts))


def _answers_with(texts: Iterable[str]) -> list[int]:
    asked = [spelled.encode() for text in texts for spelled in (text, json.dumps(text)[1:-1])]
    rows = IdempotentAnswer.objects.values_list("pk", "body")
    return [key for key, body in rows.iterator() if any(text in bytes(body) for text in asked)]
