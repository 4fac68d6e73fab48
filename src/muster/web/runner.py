"""Runs jobs one after the other on a thread of its own, and again those that a dead process left behind."""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from django.db import close_old_connections, connection
from django.db.models import F

from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.room import disk_full
from muster.web import hooks
from muster.web.daily import start_due_jobs
from muster.web.errors import JobStopped
from muster.web.models import Job, JobState

logger = logging.getLogger("muster.jobs")

# A job that was running three times when its process died is what kills it (architecture.md, Jobs).
MOST_ATTEMPTS = 3
_SECONDS_BETWEEN_WRITES = 0.5
_SECONDS_BETWEEN_LOOKS = 60
_SECONDS_BETWEEN_TRIES = 1
_SECONDS_OF_REST = 5


class JobRunner:
    """One per process that owns the installation.

    `takes_all`: whether it looks for every job that waits or was left behind, as a server does; otherwise it runs
    only the jobs that started to wait in this process and those given to `take`.
    """

    def __init__(self, *, takes_all: bool) -> None:
        self._takes_all = takes_all
        self._orphans: deque[str] = deque()
        self._given: deque[str] = deque()
        self._idle = False
        # When it looks next whether a daily job is due.
        self._looks_at = 0.0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)

    def start(self) -> None:
        if self._takes_all:
            left_behind = Job.objects.filter(state=JobState.RUNNING).order_by("created_at")
            self._orphans.extend(left_behind.values_list("pk", flat=True))
        hooks.job_listeners.append(self.take)
        self._thread.start()

    def take(self, job_id: str) -> None:
        """Runs this job too: one that waits, or that a dead process left running."""
        with self._changed:
            self._given.append(job_id)
            self._idle = False
            self._changed.notify_all()

    def drain(self) -> None:
        """Returns when nothing is left to run."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle)

    def close(self, timeout_seconds: float = 10) -> None:
        """Asks the job under way to leave; one that does not in time is taken for dead and runs again later."""
        if self.take in hooks.job_listeners:
            hooks.job_listeners.remove(self.take)
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def _loop(self) -> None:
        try:
            while not self._closing.is_set():
                job_id = self._next()
                if job_id is not None:
                    self._run(job_id)
                    close_old_connections()
                    continue
                with self._changed:
                    if not self._given and not self._closing.is_set():
                        self._rest()
        finally:
            self._note_idle()
            connection.close()

    def _rest(self) -> None:
        self._note_idle()
        # Jobs are announced; looking now and then only helps where another process changed the table.
        self._changed.wait(_SECONDS_OF_REST)

    def _note_idle(self) -> None:
        with self._changed:
            self._idle = True
            self._changed.notify_all()

    def _next(self) -> str | None:
        for queue in (self._orphans, self._given):
            if queue:
                return queue.popleft()
        if not self._takes_all:
            return None
        if time.monotonic() >= self._looks_at:
            self._looks_at = time.monotonic() + _SECONDS_BETWEEN_LOOKS
            start_due_jobs()
        waiting = Job.objects.filter(state=JobState.WAITING).order_by("created_at", "id")
        return waiting.values_list("pk", flat=True).first()

    def _run(self, job_id: str) -> None:
        try:
            job = _claim(job_id)
            if job is not None:
                _perform(job, self._closing)
        except Exception as error:
            # The table itself could not be read or written: keep the thread, try the next one.
            logger.exception("job %s could not be run", job_id)
            if disk_full(error) is not None:
                # Nobody announces it again, and there may be room soon.
                self._given.append(job_id)
            self._closing.wait(1)


def _claim(job_id: str) -> Job | None:
    """The job, now running; None if it does not want to run. Its attempt counts before it begins: it may kill us."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None or job.state not in (JobState.WAITING, JobState.RUNNING):
        return None
    if job.attempts >= MOST_ATTEMPTS:
        _finish(job, JobState.FAILED, "job_kills_process", f"Muster ended {job.attempts} times while this job ran.")
        logger.error("job %s (%s) is set aside: %s", job.id, job.kind, job.error_text)
        return None
    now = system_clock()
    claimed = Job.objects.filter(pk=job_id, state=job.state).update(
        state=JobState.RUNNING, attempts=F("attempts") + 1, started_at=now, heartbeat_at=now
    )
    return Job.objects.get(pk=job_id) if claimed else None


def _perform(job: Job, closing: threading.Event) -> None:
    kind = hooks.job_kinds.get(job.kind)
    if kind is None:
        _finish(job, JobState.FAILED, "job_kind_unknown", f"Nothing in this installation runs jobs of kind {job.kind}.")
        return
    running = _Running(job, closing)
    try:
        running.check()
        result = kind.run(running)
        # A result that is no JSON is the job's fault, not the table's.
        json.dumps(result)
    except JobStopped as stopped:
        why = stopped.why
        _patiently(closing, lambda: _leave(job, running, why))
    except Exception as error:
        failed = error
        _patiently(closing, lambda: _fail(job, running, failed, closing))
    else:
        job.result = result
        _patiently(closing, lambda: _finish(job, JobState.DONE, running=running))


def _patiently(closing: threading.Event, write: Callable[[], None]) -> None:
    """How a job ended is known here only: while the disk is full, it waits to be written down."""
    while True:
        try:
            write()
        except Exception as error:
            if disk_full(error) is None or closing.wait(_SECONDS_BETWEEN_TRIES):
                raise
        else:
            return


def _fail(job: Job, running: _Running, error: Exception, closing: threading.Event) -> None:
    if closing.is_set():
        # It did not leave in time and met what is closed already. Still `running`: the next process takes it again.
        logger.warning("job %s (%s) was cut off by the end of the process", job.id, job.kind)
    elif (known := error if isinstance(error, MusterError) else disk_full(error)) is not None:
        _finish(job, JobState.FAILED, known.code, known.message, running)
    else:
        reference = secrets.token_hex(4)
        logger.error("job %s (%s) failed, reference %s", job.id, job.kind, reference, exc_info=error)
        text = f"Something went wrong inside Muster. Its log says more under the reference {reference}."
        _finish(job, JobState.FAILED, "internal_error", text, running)


def _leave(job: Job, running: _Running, why: str) -> None:
    if why == "shutdown":
        # Still `running`: the next process takes it again. It left in good order, so this was no failed attempt.
        Job.objects.filter(pk=job.pk).update(attempts=F("attempts") - 1, heartbeat_at=None)
    elif why == "pause":
        running.write()
        Job.objects.filter(pk=job.pk).update(state=JobState.PAUSED, wish="", attempts=0)
    else:
        _finish(job, JobState.CANCELLED, running=running)


def _finish(job: Job, state: JobState, code: str = "", text: str = "", running: _Running | None = None) -> None:
    if running is not None:
        running.write()
    job.state, job.error_code, job.error_text, job.wish = state, code, text, ""
    job.finished_at = system_clock()
    job.save(update_fields=["state", "error_code", "error_text", "wish", "result", "finished_at"])


class _Running:
    """The job's own view of itself; see `hooks.RunningJob`."""

    def __init__(self, job: Job, closing: threading.Event) -> None:
        self._job = job
        self._closing = closing
        self._changed = False
        self._wish = job.wish
        self._written = time.monotonic()

    @property
    def id(self) -> str:
        return self._job.id

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self._job.parameters)

    @property
    def attempt(self) -> int:
        return self._job.attempts

    @property
    def cancelled(self) -> bool:
        self._exchange()
        return self._wish == "cancel"

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        job = self._job
        job.done, job.total, job.text = done, total if total is not None else job.total, text[:300]
        self._changed = True
        self._exchange()

    def check(self) -> None:
        self._exchange()
        if self._wish == "cancel":
            raise JobStopped("cancel")
        if self._closing.is_set():
            raise JobStopped("shutdown")
        if self._wish == "pause":
            raise JobStopped("pause")

    def run(self, job_id: str) -> None:
        self.check()
        job = _claim(job_id)
        if job is not None:
            _perform(job, self._closing)
        self.check()
        job = Job.objects.get(pk=job_id)
        if job.state != JobState.DONE:
            message = job.error_text or f"The job {job.id} ({job.kind}) is {job.state}."
            raise MusterError(message, code=job.error_code or f"job_{job.state}")

    def write(self) -> None:
        """Stores how far it is, and hears what is wanted of it."""
        now = system_clock()
        values: dict[str, Any] = {"heartbeat_at": now}
        if self._changed:
            values |= {"done": self._job.done, "total": self._job.total, "text": self._job.text}
        rows = Job.objects.filter(pk=self._job.pk)
        rows.update(**values)
        self._wish = rows.values_list("wish", flat=True).first() or ""
        self._changed = False
        self._written = time.monotonic()

    def _exchange(self) -> None:
        if time.monotonic() - self._written >= _SECONDS_BETWEEN_WRITES:
            self.write()
