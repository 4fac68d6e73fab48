"""Jobs inside one process: states, wishes, errors, and the doors that show them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from muster.kernel.errors import MusterError
from muster.team.models import Member
from muster.team.policies import LOCAL, member_principal
from muster.web.actions import change_job, start_job
from muster.web.errors import JobStateError
from muster.web.hooks import RunningJob, job_kinds, register_job
from muster.web.queries import job_view, jobs_about
from muster.web.runner import JobRunner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    """One that runs what is started while the test goes on."""
    running = JobRunner(takes_all=False)
    running.start()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    register_job("test.add", lambda job: {"sum": sum(job.parameters["numbers"])})
    register_job("test.refuse", _refuse)
    register_job("test.break", _break)
    register_job("test.steps", _steps, scope="customers:write", unit="rows")
    register_job("test.wrap", _wrap)
    yield
    for kind in ("test.add", "test.refuse", "test.break", "test.steps", "test.wrap"):
        del job_kinds[kind]


def _wrap(job: RunningJob) -> dict[str, Any]:
    inner = start_job(job.parameters["kind"], job.parameters["inside"])
    job.run(inner.id)
    return {"inner": job_view(inner.id).result}


_begun = threading.Event()


def _refuse(job: RunningJob) -> dict[str, Any]:
    raise MusterError("There is no file to read.", code="file_missing")


def _break(job: RunningJob) -> dict[str, Any]:
    raise ZeroDivisionError("secret detail")


def _steps(job: RunningJob) -> dict[str, Any]:
    _begun.set()
    # As long as nobody stops it, and not for ever.
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        job.progress(1, 2, "reading")
        job.check()
    return {}


def test_job_runs_and_keeps_its_result(runner: JobRunner) -> None:
    waiting = start_job("test.add", {"numbers": [1, 2, 3]}, subject=("group", "grp_1"))
    assert waiting.state == "waiting"
    runner.drain()
    done = job_view(waiting.id)
    assert (done.state, done.result, done.attempts, done.is_over) == ("done", {"sum": 6}, 1, True)
    assert [job.id for job in jobs_about("group", "grp_1")] == [waiting.id]


def test_job_with_the_key_of_a_waiting_one_is_that_one() -> None:
    first = start_job("test.add", {"numbers": [1]}, key="grp_1")
    again = start_job("test.add", {"numbers": [2]}, key="grp_1")
    other = start_job("test.add", {"numbers": [2]}, key="grp_2")
    assert (again.id == first.id, other.id == first.id) == (True, False)


def test_job_says_what_was_refused(runner: JobRunner) -> None:
    job = start_job("test.refuse", {})
    runner.drain()
    failed = job_view(job.id)
    assert (failed.state, failed.error) == ("failed", ("file_missing", "There is no file to read."))


def test_job_runs_another_in_its_midst(runner: JobRunner) -> None:
    job = start_job("test.wrap", {"kind": "test.add", "inside": {"numbers": [2, 3]}})
    runner.drain()
    assert job_view(job.id).result == {"inner": {"sum": 5}}


def test_job_ends_as_the_one_in_its_midst(runner: JobRunner) -> None:
    job = start_job("test.wrap", {"kind": "test.refuse", "inside": {}})
    runner.drain()
    assert job_view(job.id).error == ("file_missing", "There is no file to read.")


def test_job_that_breaks_tells_a_reference_and_no_detail(runner: JobRunner, caplog: pytest.LogCaptureFixture) -> None:
    job = start_job("test.break", {})
    runner.drain()
    error = job_view(job.id).error
    assert error is not None
    code, sentence = error
    assert (code, "secret" in sentence) == ("internal_error", False)
    reference = sentence.removesuffix(".").split()[-1]
    assert [reference in record.getMessage() for record in caplog.records] == [True]


def test_running_job_is_cancelled_at_its_next_step(runner: JobRunner) -> None:
    _begun.clear()
    job = start_job("test.steps", {})
    assert _begun.wait(10)
    assert change_job(LOCAL, job.id, "cancel").wish == "cancel"
    runner.drain()
    assert job_view(job.id).state == "cancelled"
    with pytest.raises(JobStateError):
        change_job(LOCAL, job.id, "pause")


def test_paused_job_goes_on_when_resumed(runner: JobRunner) -> None:
    _begun.clear()
    job = start_job("test.steps", {})
    assert _begun.wait(10)
    change_job(LOCAL, job.id, "pause")
    runner.drain()
    assert job_view(job.id).state == "paused"
    _begun.clear()
    change_job(LOCAL, job.id, "resume")
    assert _begun.wait(10)
    change_job(LOCAL, job.id, "cancel")
    runner.drain()
    assert job_view(job.id).state == "cancelled"


def test_job_under_way_when_the_process_ends_counts_no_attempt() -> None:
    running = JobRunner(takes_all=False)
    running.start()
    _begun.clear()
    job = start_job("test.steps", {})
    assert _begun.wait(10)
    running.close()
    left = job_view(job.id)
    assert (left.state, left.attempts) == ("running", 0)


def test_job_that_is_cut_off_by_the_end_runs_again_and_did_not_fail() -> None:
    ended = threading.Event()

    def cut_off(job: RunningJob) -> dict[str, Any]:
        _begun.set()
        ended.wait(10)
        raise MusterError("The warehouse is closed.", code="internal_error")

    register_job("test.steps", cut_off)
    running = JobRunner(takes_all=False)
    running.start()
    _begun.clear()
    job = start_job("test.steps", {})
    assert _begun.wait(10)
    running.close(timeout_seconds=0)
    ended.set()
    running.close()
    left = job_view(job.id)
    assert (left.state, left.attempts) == ("running", 1)


def test_result_that_is_no_json_fails_the_job(runner: JobRunner) -> None:
    register_job("test.add", lambda job: {"when": threading.Event()})
    job = start_job("test.add", {})
    runner.drain()
    failed = job_view(job.id)
    assert (failed.state, failed.error and failed.error[0]) == ("failed", "internal_error")


def test_jobs_are_listed_page_by_page(as_local: Client) -> None:
    made = [start_job("test.add", {"numbers": [number]}).id for number in range(3)]
    first = as_local.get("/api/v1/jobs?limit=2").json()
    second = as_local.get(f"/api/v1/jobs?limit=2&cursor={first['next_cursor']}").json()
    assert [job["id"] for job in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None


def test_job_is_shown_as_programs_read_it(as_local: Client) -> None:
    job = start_job("test.steps", {}, subject=("import", "imp_1"))
    shown = as_local.get(f"/api/v1/jobs/{job.id}").json()
    del shown["created_at"]
    assert shown == {
        "id": job.id,
        "kind": "test.steps",
        "state": "waiting",
        "done": 0,
        "total": None,
        "unit": "rows",
        "text": "",
        "seconds_left": None,
        "waiting_behind": 0,
        "subject": {"kind": "import", "id": "imp_1"},
        "result": None,
        "error": None,
        "wish": "",
        "attempts": 0,
        "started_at": None,
        "finished_at": None,
    }


def test_job_is_only_stopped_by_who_may_start_its_kind(bob: Member, as_bob: Client) -> None:
    job = start_job("test.steps", {})
    with pytest.raises(MusterError) as refused:
        change_job(member_principal(bob), job.id, "cancel")
    assert refused.value.code == "scope_missing"
    assert as_bob.get("/jobs/").status_code == 200
    assert as_bob.get(f"/jobs/{job.id}/").status_code == 200
    assert job_view(job.id).state == "waiting"
