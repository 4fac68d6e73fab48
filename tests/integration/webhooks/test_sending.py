"""What is due when, and what becomes of webhooks and deliveries by what was answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from muster.audit.queries import newest_deeds
from muster.kernel.clock import clock_of, system_clock
from muster.kernel.errors import InternalError
from muster.team.models import Member
from muster.team.policies import LOCAL, member_principal
from muster.web.hooks import RunningJob
from muster.webhooks.actions import sending
from muster.webhooks.actions.emitting import emit
from muster.webhooks.actions.privacy import count_naming, deliveries_naming, forget_people
from muster.webhooks.actions.sending import due_messages, next_due, switch_off_overrun
from muster.webhooks.actions.webhooks import edit_webhook, forget_old_secrets, rotate_secret
from muster.webhooks.jobs import keep_deliveries
from muster.webhooks.models import Attempt, Delivery, Webhook, unsealed
from muster.webhooks.queries.attention import webhooks_in_trouble
from tests.integration.webhooks.rows import JOINED, answered, happened, note, stored_webhook

pytestmark = pytest.mark.django_db


def _roomy(_host: str) -> int:
    return 4


def _due(
    now: datetime | None = None, under_way: tuple[str, ...] = (), room: Callable[[str], int] = _roomy
) -> list[str]:
    return [due.message.id for due in due_messages(under_way, room, now or system_clock())]


def test_what_is_rolled_back_is_not_sent() -> None:
    stored_webhook()
    with suppress(ZeroDivisionError), transaction.atomic():
        assert emit(JOINED, [{"customers": ["cus_1"]}], subject="grp_1") == 1
        raise ZeroDivisionError
    assert Delivery.objects.count() == 0


def test_event_goes_to_those_who_want_it() -> None:
    everything = stored_webhook()
    narrow = Webhook.objects.create(
        id="whk_narrow", url="https://x.example/", events=[JOINED], subjects=["grp_2"], created_at=system_clock()
    )
    assert [row.webhook_id for row in happened(subject="grp_1")] == [everything.id]
    assert {row.webhook_id for row in happened(subject="grp_2")} == {everything.id, narrow.id}
    assert emit("group.member_left", [{"customers": ["cus_1"]}], subject="grp_2") == 0


def test_body_that_is_too_large_is_a_fault_of_its_room() -> None:
    stored_webhook()
    with pytest.raises(InternalError):
        emit(JOINED, [{"customers": ["cus_1234567"] * 2_000}])


def test_each_host_gets_four_at_a_time_and_the_longest_due_first() -> None:
    stored_webhook("https://one.example/a")
    stored_webhook("https://one.example/b")
    stored_webhook("https://two.example/")
    rows = happened(times=6)
    by_host: dict[str, list[str]] = {}
    for due in due_messages((), _roomy, system_clock()):
        by_host.setdefault(due.host, []).append(due.message.id)
    assert {host: len(ids) for host, ids in by_host.items()} == {"one.example": 4, "two.example": 4}
    begun = tuple(by_host["one.example"])
    assert set(begun) & set(_due(under_way=begun, room=lambda host: 0 if host == "one.example" else 4)) == set()
    assert len(rows) == 18


def test_receiver_that_failed_is_asked_with_one_delivery() -> None:
    stored_webhook()
    rows = happened(times=5)
    note(answered(500), rows[0])
    [probe] = _due()
    assert probe == rows[1].id
    assert _due(under_way=(probe,)) == []
    note(answered(200), rows[1])
    assert len(_due()) == 3


def test_receiver_that_asks_for_time_gets_it() -> None:
    stored_webhook()
    first, second = happened(times=2)
    now = system_clock()
    with clock_of(lambda: now):
        note(answered(429, wait=90), first)
    assert (_due(now), next_due(now, ())) == ([], now + timedelta(seconds=90))
    assert _due(now + timedelta(seconds=91)) == [second.id]


def test_next_due_is_when_something_is_tried_again() -> None:
    stored_webhook()
    now = system_clock()
    assert next_due(now, ()) is None
    [row] = happened()
    with clock_of(lambda: now):
        note(answered(500), row)
    due = Delivery.objects.get().next_at
    assert due is not None
    assert (next_due(now, ()), timedelta(seconds=5) <= due - now < timedelta(seconds=5.5)) == (due, True)
    assert next_due(now, (row.id,)) is None


def test_delivery_is_given_up_after_ten_attempts() -> None:
    stored_webhook()
    [row] = happened()
    for _ in range(9):
        note(answered(500), row)
    assert Delivery.objects.get().state == "failed"
    note(answered(500), row)
    row.refresh_from_db()
    assert (row.state, row.reason, row.tries, row.next_at, Attempt.objects.count()) == (
        "given_up",
        "not_accepted",
        10,
        None,
        10,
    )


def test_five_days_without_success_switch_off(alice: Member) -> None:
    webhook = stored_webhook()
    rows = happened(times=4)
    began = system_clock()

    def at(days: float, status: int, place: int) -> None:
        with clock_of(lambda: began + timedelta(days=days)):
            note(answered(status), rows[place])

    at(0, 500, 0)
    at(4.9, 200, 1)
    at(5, 500, 0)
    at(9.9, 500, 2)
    webhook.refresh_from_db()
    assert (webhook.active, webhook.failing_since) == (True, began + timedelta(days=5))
    at(10, 500, 2)
    webhook.refresh_from_db()
    assert (webhook.active, webhook.disabled) == (False, "failing")
    assert set(Delivery.objects.exclude(state="sent").values_list("state", "reason")) == {("given_up", "disabled")}
    [deed] = newest_deeds(1)
    assert (deed.actor_label, deed.action, deed.details["deliveries"]) == ("Muster", "webhook.disabled", 3)
    [attention] = webhooks_in_trouble(member_principal(alice))
    assert attention.text == "The webhook to https://crm.example.com/hook was switched off; it is sent nothing."
    edit_webhook(LOCAL, webhook.id, revision=None, active=True)
    webhook.refresh_from_db()
    assert (webhook.disabled, webhook.failing_since, webhook.failures) == ("", None, 0)
    assert webhooks_in_trouble(member_principal(alice)) == []


def test_nobody_is_told_of_trouble_who_may_not_see_webhooks(bob: Member) -> None:
    stored_webhook()
    Webhook.objects.update(active=False, disabled="gone")
    assert webhooks_in_trouble(member_principal(bob)) == []


def test_backlog_that_nobody_will_take_switches_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_WAITING", 3)
    webhook = stored_webhook()
    happened(times=3)
    switch_off_overrun()
    assert Webhook.objects.get().active is True
    happened()
    switch_off_overrun()
    webhook.refresh_from_db()
    assert (webhook.active, webhook.disabled, Delivery.objects.filter(next_at__isnull=False).count()) == (
        False,
        "backlog",
        0,
    )


def test_answer_to_what_was_given_up_meanwhile_is_news() -> None:
    webhook = stored_webhook()
    first, second = happened(times=2)
    edit_webhook(LOCAL, webhook.id, revision=None, active=False)
    note(answered(200), first)
    note(answered(500), second)
    assert {row.pk: row.state for row in Delivery.objects.all()} == {first.pk: "sent", second.pk: "given_up"}


def test_old_secret_is_signed_with_for_a_day() -> None:
    webhook = stored_webhook()
    before = unsealed(webhook.secret)
    _, secret = rotate_secret(LOCAL, webhook.id)
    happened()
    now = system_clock()

    def keys(later: timedelta) -> tuple[str, ...]:
        [due] = due_messages((), _roomy, now + later)
        return due.message.keys

    assert (keys(timedelta(hours=23)), keys(timedelta(hours=24))) == ((secret, before), (secret,))
    with clock_of(lambda: now + timedelta(hours=25)):
        assert forget_old_secrets() == 1
    webhook.refresh_from_db()
    assert (webhook.secret_before, webhook.secret_before_until) == ("", None)


class _Job:
    """As far as this job needs one."""

    def check(self) -> None: ...


def test_deliveries_are_kept_for_thirty_days(settled_job: RunningJob) -> None:
    stored_webhook()
    then = system_clock() - timedelta(days=30, minutes=1)
    with clock_of(lambda: then):
        [old] = happened()
        note(answered(200), old)
    [new] = happened()
    assert keep_deliveries(settled_job) == {"deliveries": 1, "secrets": 0}
    assert (list(Delivery.objects.values_list("pk", flat=True)), Attempt.objects.count()) == ([new.pk], 0)


@pytest.fixture
def settled_job() -> RunningJob:
    job: RunningJob = _Job()  # type: ignore[assignment]  # the one method that is called
    return job


def test_erased_people_are_taken_out_of_bodies() -> None:
    """C-45. An id that begins like another one is somebody else."""
    stored_webhook()
    [sent] = happened("cus_1", "cus_12")
    [waiting] = happened("cus_1", "cus_2")
    [alone] = happened("cus_1")
    [others] = happened("cus_12", "cus_3")
    note(answered(200, answer="took cus_1"), sent)
    assert (count_naming(["cus_1"]), len(deliveries_naming(["cus_1"]))) == (3, 3)
    assert forget_people(["cus_1"]) == 3
    found = {row.pk: row for row in Delivery.objects.all()}
    assert (found[sent.pk].body, found[alone.pk].body) == ("", "")
    assert (found[alone.pk].state, found[alone.pk].reason) == ("given_up", "erased")
    assert json.loads(found[waiting.pk].body)["data"] == {"customers": ["cus_2"]}
    assert found[others.pk].body == others.body
    assert (Attempt.objects.get().answer, count_naming(["cus_1"])) == ("", 0)
    assert _due() == [waiting.pk, others.pk]


def test_many_people_are_found_as_few_are() -> None:
    stored_webhook()
    [first] = happened("cus_1", "cus_12")
    happened("cus_2")
    many = [f"cus_x{n}" for n in range(30)]
    assert (count_naming(["cus_12", *many]), count_naming([]), count_naming(many)) == (1, 0, 0)
    assert [row["event"] for row in deliveries_naming(["cus_12", *many])] == [first.event]


def test_secret_that_cannot_be_read_switches_off_and_holds_nobody_else_up() -> None:
    """As after a copy of the database came under another key."""
    broken = stored_webhook("https://one.example/")
    stored_webhook("https://two.example/")
    Webhook.objects.filter(pk=broken.pk).update(secret="gAAAAA")
    happened()
    [due] = due_messages((), _roomy, system_clock())
    assert due.host == "two.example"
    broken.refresh_from_db()
    assert (broken.active, broken.disabled) == (False, "sealed")
    rotate_secret(LOCAL, broken.pk)
    edit_webhook(LOCAL, broken.pk, revision=None, active=True)
    happened()
    assert {due.host for due in due_messages((), _roomy, system_clock())} == {"one.example", "two.example"}
