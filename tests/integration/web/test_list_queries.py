"""Lists of the kit and of imports ask as little for three rows as for one (dashboard spec, section 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from muster.customers.models import Import
from muster.customers.terms import ImportState
from muster.kernel.clock import system_clock
from muster.web.models import Job, JobState


@pytest.mark.parametrize("count", [1, 3])
def test_jobs_ask_for_session_member_and_rows(
    as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    now = system_clock()
    for number in range(count):
        Job.objects.create(id=f"job_{number}", kind="groups.refresh", state=JobState.DONE, created_at=now)
    assert as_alice.get("/jobs/").content.count(b"job_") >= count
    with django_assert_num_queries(3):
        assert as_alice.get("/jobs/").status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_imports_ask_for_session_member_and_rows(
    as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    now = system_clock()
    for number in range(count):
        Import.objects.create(
            id=f"imp_{number}",
            kind="customers",
            file_name=f"{number}.csv",
            digest="",
            mapping={"kind": "customers"},
            state=ImportState.DONE,
            created_by="alice@example.com",
            created_at=now,
            done_at=now,
        )
    assert as_alice.get("/customers/imports/").content.count(b"imp_") >= count
    with django_assert_num_queries(3):
        assert as_alice.get("/customers/imports/").status_code == 200
