"""A POST with an Idempotency-Key is done once."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.test import Client, RequestFactory

from muster.kernel.clock import system_clock
from muster.team.models import ApiToken
from muster.web import idempotency
from muster.web.actions import start_job
from muster.web.hooks import register_job
from muster.web.idempotency import _hash, _without
from muster.web.models import IdempotentAnswer, Job

pytestmark = pytest.mark.django_db


def _cancel(client: Client, job: str, key: str) -> tuple[int, object, bool]:
    answer = client.post(f"/api/v1/jobs/{job}/cancel", headers={"Idempotency-Key": key})
    document = answer.json()
    return answer.status_code, document.get("code") or document["state"], "Idempotency-Replayed" in answer.headers


@pytest.fixture
def job() -> str:
    register_job("test.nothing", lambda _: {})
    return start_job("test.nothing", {}).id


def test_request_with_the_same_key_answers_the_same_and_does_nothing(as_local: Client, job: str) -> None:
    assert _cancel(as_local, job, "k1") == (200, "cancelled", False)
    Job.objects.filter(pk=job).update(state="waiting")
    assert _cancel(as_local, job, "k1") == (200, "cancelled", True)
    assert Job.objects.get(pk=job).state == "waiting"
    assert _cancel(as_local, job, "k2") == (200, "cancelled", False)


def test_key_of_another_request_is_refused(as_local: Client, job: str) -> None:
    other = start_job("test.nothing", {}).id
    assert _cancel(as_local, job, "k1") == (200, "cancelled", False)
    assert _cancel(as_local, other, "k1") == (409, "idempotency_key_reused", False)
    assert Job.objects.get(pk=other).state == "waiting"


def test_key_belongs_to_who_sent_it(as_local: Client, as_bob: Client, job: str) -> None:
    assert _cancel(as_local, job, "k1") == (200, "cancelled", False)
    assert _cancel(as_bob, job, "k1")[1] != "cancelled"


def test_refused_request_may_be_sent_again(as_local: Client, job: str) -> None:
    Job.objects.filter(pk=job).update(state="done")
    assert _cancel(as_local, job, "k1") == (409, "job_state", False)
    Job.objects.filter(pk=job).update(state="waiting")
    assert _cancel(as_local, job, "k1") == (200, "cancelled", False)


def test_key_of_a_request_under_way_is_refused(as_local: Client, job: str) -> None:
    request = RequestFactory().post(f"/api/v1/jobs/{job}/cancel")
    row = IdempotentAnswer.objects.create(
        principal="local:local",
        key="k1",
        request_hash=_hash(request),
        process=idempotency._PROCESS,
        created_at=system_clock(),
    )
    assert _cancel(as_local, job, "k1") == (409, "idempotency_in_progress", False)
    # The process that worked on it died: somebody may go on.
    IdempotentAnswer.objects.filter(pk=row.pk).update(process="another")
    assert _cancel(as_local, job, "k1") == (200, "cancelled", False)


def test_answer_is_forgotten_after_a_day(as_local: Client, job: str) -> None:
    assert _cancel(as_local, job, "k1") == (200, "cancelled", False)
    IdempotentAnswer.objects.update(created_at=system_clock() - timedelta(hours=25))
    assert _cancel(as_local, job, "k1") == (409, "job_state", False)


def test_key_must_be_short_and_printable(as_local: Client, job: str) -> None:
    assert _cancel(as_local, job, "x" * 256) == (422, "idempotency_key_invalid", False)


def test_secret_is_not_kept(as_local: Client) -> None:
    def create() -> tuple[int, dict[str, object]]:
        answer = as_local.post(
            "/api/v1/tokens",
            {"name": "ci", "scopes": ["groups:read"]},
            content_type="application/json",
            headers={"Idempotency-Key": "k1"},
        )
        return answer.status_code, answer.json()

    status, token = create()
    assert (status, str(token["secret"])[:4]) == (201, "mst_")
    status, problem = create()
    assert (status, problem["code"]) == (409, "idempotency_secret_shown")
    assert ApiToken.objects.count() == 1
    assert str(token["secret"]).encode() not in bytes(IdempotentAnswer.objects.get().body)


def test_upload_is_the_same_whatever_boundary_was_drawn() -> None:
    def upload(boundary: str, content: str) -> str:
        body = f"--{boundary}\r\nContent-Disposition: form-data; name=file\r\n\r\n{content}\r\n--{boundary}--\r\n"
        request = RequestFactory().generic(
            "POST", "/api/v1/imports", body, content_type=f"multipart/form-data; boundary={boundary}"
        )
        request.META["wsgi.input"] = io.BytesIO(body.encode())
        return _hash(request)

    assert upload("aaaa", "1,2") == upload("bbbb", "1,2")
    assert upload("aaaa", "1,2") != upload("aaaa", "1,3")


def test_mark_is_left_out_across_pieces() -> None:
    text = b"one<mark>two<mark>three<mar"
    for size in range(1, len(text) + 1):
        pieces = (text[start : start + size] for start in range(0, len(text), size))
        assert b"".join(_without(b"<mark>", pieces)) == b"onetwothree<mar"
